"""What is passed between a visitor's browser and a server inside a runtime, and what stays behind: pure functions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

COOKIE, SECURE_COOKIE = "collegium-port", "__Host-collegium-port"
OWN_COOKIES = frozenset({COOKIE, SECURE_COOKIE, "collegium", "__Host-collegium"})

Headers = list[tuple[bytes, bytes]]

_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade".split()
)
_NOT_PASSED_IN = _HOP | frozenset(b"host expect cookie origin referer content-length forwarded".split())
_NOT_PASSED_OUT = _HOP | frozenset(b"strict-transport-security alt-svc".split())
_LENGTH = re.compile(rb"[0-9]{1,18}")


class Unreadable(Exception):
    """The request could be read in two ways."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the visitor is, and where the server inside believes itself to be."""

    scheme: str
    host: str
    port: int

    @property
    def outside(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def inside(self) -> str:
        return f"http://localhost:{self.port}"


def own_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The values of our cookie for ports, however often it was sent."""
    pairs = (pair.split("=", 1) for text in _values(headers, b"cookie") for pair in text.decode("latin-1").split(";"))
    return [pair[1].strip() for pair in pairs if len(pair) == 2 and pair[0].strip() in (COOKIE, SECURE_COOKIE)]


def foreign_cookies(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The `Cookie` header without what is ours."""
    kept = []
    for text in _values(headers, b"cookie"):
        for pair in text.split(b";"):
            name = pair.partition(b"=")[0].strip().decode("latin-1")
            if pair.strip() and name not in OWN_COOKIES:
                kept.append(pair.strip())
    return b"; ".join(kept)


def request_headers(headers: Headers, place: Place, *, body: bool) -> Headers:
    """The headers that the server inside gets. With a `body`, also those that say where it ends. Raises Unreadable."""
    dropped = _NOT_PASSED_IN | _listed(headers)
    passed = [(key, value) for key, value in headers if key not in dropped and not key.startswith(b"x-forwarded-")]
    passed.insert(0, (b"host", f"localhost:{place.port}".encode()))
    passed += [(b"x-forwarded-host", place.host.encode()), (b"x-forwarded-proto", place.scheme.encode())]
    cookies = foreign_cookies(headers)
    if cookies:
        passed.append((b"cookie", cookies))
    for name in (b"origin", b"referer"):
        for value in _values(headers, name):
            passed.append((name, _moved(value, place.outside, place.inside)))
    return passed + (_framing(headers) if body else [])


def has_body(headers: Headers) -> bool:
    """Whether a request says that something follows its head."""
    return any(key in (b"content-length", b"transfer-encoding") for key, _ in headers)


def _framing(headers: Headers) -> Headers:
    lengths, codings = set(_values(headers, b"content-length")), _values(headers, b"transfer-encoding")
    if codings:
        if lengths or len(codings) > 1 or codings[0].strip().lower() != b"chunked":
            raise Unreadable("the body ends in two places")
        return [(b"transfer-encoding", b"chunked")]
    if len(lengths) > 1 or any(_LENGTH.fullmatch(length) is None for length in lengths):
        raise Unreadable("the body has no length, or two")
    return [(b"content-length", length) for length in lengths]


def response_headers(headers: Headers, place: Place) -> Headers:
    """The headers that the browser gets: nothing of one connection, none of our cookies, no cookie for other hosts."""
    dropped = _NOT_PASSED_OUT | _listed(headers)
    passed: Headers = []
    for key, value in headers:
        if key in dropped:
            continue
        if key == b"set-cookie":
            cookie = _confined(value)
            if cookie is not None:
                passed.append((key, cookie))
        elif key in (b"location", b"content-location", b"refresh"):
            passed.append((key, _moved_out(value, place)))
        else:
            passed.append((key, value))
    if not any(key == b"referrer-policy" for key, _ in headers):
        passed.append((b"referrer-policy", b"same-origin"))
    return passed


def _confined(cookie: bytes) -> bytes | None:
    name = cookie.partition(b";")[0].partition(b"=")[0].strip().decode("latin-1")
    if name in OWN_COOKIES:
        return None
    kept = [part for part in cookie.split(b";") if part.partition(b"=")[0].strip().lower() != b"domain"]
    return b";".join(kept)


def _moved_out(value: bytes, place: Place) -> bytes:
    for host in ("localhost", "127.0.0.1", "0.0.0.0"):  # noqa: S104  # what a server may call itself
        moved = _moved(value, f"http://{host}:{place.port}", place.outside)
        if moved != value:
            return moved
    return value


def _moved(value: bytes, old: str, new: str) -> bytes:
    prefix = old.encode()
    if value.lower().startswith(prefix) and value[len(prefix) : len(prefix) + 1] in (b"", b"/", b"?", b"#"):
        return new.encode() + value[len(prefix) :]
    return value


def _listed(headers: Headers) -> frozenset[bytes]:
    return frozenset(
        name.strip().lower() for value in _values(headers, b"connection") for name in value.split(b",") if name.strip()
    )


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]
