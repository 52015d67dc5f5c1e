"""Names and cookies of visits to ports: made with a key, so that nobody can guess one, and nothing is stored."""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass

from collegium.accounts.model import Principal
from collegium.ground.ids import LoginId, RuntimeId, TokenId, UserId

LOCALHOST = "localhost"
LABEL_LENGTH = 26
TEXT_LENGTH_MAX = 2048
PORT_MAX = 65535
LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.ASCII)
"""The addresses by which a browser reaches a server on its own machine."""

_LABEL = re.compile(rf"[a-z2-7]{{{LABEL_LENGTH}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody's way to one port of one runtime, since when (milliseconds)."""

    principal: Principal
    runtime: RuntimeId
    port: int
    since: int


def label_of(key: bytes, runtime: RuntimeId, port: int) -> str:
    """The name of a port: the same for all who visit it, for as long as its runtime lives, and for no other."""
    digest = hmac.digest(key, f"label {runtime} {port}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:LABEL_LENGTH]


def label_in(host: str, domains: list[str]) -> str | None:
    """What stands before one of our domains in a `Host` header: maybe no label at all. None: it is not below them."""
    name = host.lower().partition(":")[0].removesuffix(".")
    for domain in domains:
        bare = domain.partition(":")[0]
        if name.endswith("." + bare):
            return name.removesuffix("." + bare)
        if name == bare and bare != LOCALHOST:
            return ""
    return None


def is_label(text: str) -> bool:
    """Whether it has the form of a port's name."""
    return _LABEL.fullmatch(text) is not None


def sealed(key: bytes, visit: Visit) -> str:
    """A visit as the value of a cookie."""
    who = visit.principal
    record = [visit.runtime, visit.port, visit.since, who.user, who.name, who.email, who.login, who.token]
    # Without padding: a cookie with an equals sign in it would be sent in quotation marks, and come back with them.
    text = base64.urlsafe_b64encode(json.dumps(record).encode()).rstrip(b"=")
    return f"{text.decode()}.{_seal(key, text)}"


def unsealed(key: bytes, value: str) -> Visit | None:
    """The visit that was sealed with this key; None for anything else."""
    text, _, seal = value.partition(".")
    if len(value) > TEXT_LENGTH_MAX or not value.isascii() or not hmac.compare_digest(seal, _seal(key, text.encode())):
        return None
    runtime, port, since, user, name, email, login, token = json.loads(
        base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    )
    principal = Principal(
        UserId(user), name, email, False, login and LoginId(login), token and TokenId(token)
    )  # nobody administers anything through a port
    return Visit(principal, RuntimeId(runtime), port, since)


def _seal(key: bytes, text: bytes) -> str:
    return hmac.new(key, b"visit " + text, hashlib.sha256).hexdigest()
