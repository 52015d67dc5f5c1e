"""Kernels and sessions as Jupyter's API names them."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from collegium.ground.ids import ALPHABET, ID_LENGTH, KernelId, RuntimeId, UserId, is_id

SERVER_VERSION = "2.17.0"
"""The version of Jupyter Server whose API this is."""

DEFAULT_KERNEL = "python3"
TEXT_MAX = 4096


@dataclass(frozen=True, slots=True)
class Spec:
    """A kind of kernel that a runtime version offers: what its kernel.json says, and the files beside it."""

    name: str
    display_name: str
    language: str
    interrupt_mode: str = "signal"
    metadata: dict[str, Any] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that a client of the Jupyter API asked for, in a runtime of its user's."""

    id: KernelId
    user: UserId
    runtime: RuntimeId
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Session:
    """A name that such a client gave to a kernel."""

    id: str
    user: UserId
    kernel: KernelId
    path: str
    name: str
    type: str
    created_at: int


@dataclass(frozen=True, slots=True)
class PageKernel:
    """The kernel of a notebook that runs on a page: others who may run the notebook can join it."""

    notebook: str
    path: str
    name: str
    kernel: KernelId
    spec: str
    runtime: RuntimeId
    state: str


def uuid_of(id: str) -> str:
    """One of our ids in the form of a UUID, which Jupyter's clients expect."""
    number = 0
    for letter in id:
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    return str(uuid.UUID(int=number))


def id_of(text: str) -> str | None:
    """The id that `uuid_of` made this of; None if it made it of none."""
    try:
        number = uuid.UUID(text).int
    except ValueError:
        return None
    letters = ""
    for _ in range(ID_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters = ALPHABET[rest] + letters
    return letters if number == 0 and is_id(letters) else None


def time_of(milliseconds: int) -> str:
    """As Jupyter writes times."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def spec_shown(spec: Spec, base: str) -> dict[str, Any]:
    """The entry of a kernel spec; `base` is the address of the files beside kernel.json."""
    return {
        "name": spec.name,
        "spec": {
            "argv": list(spec.argv),
            "env": {},
            "display_name": spec.display_name,
            "language": spec.language,
            "interrupt_mode": spec.interrupt_mode,
            "metadata": spec.metadata,
        },
        "resources": {file.rsplit(".", 1)[0]: f"{base}/{spec.name}/{file}" for file in spec.resources},
    }


def spec_of(name: str, text: str, files: list[str]) -> Spec | None:
    """What a kernel.json says; None if it says nothing of use."""
    try:
        said = json.loads(text)
        argv = tuple(str(word) for word in said["argv"])
        metadata = said.get("metadata")
        return Spec(
            name=name,
            display_name=str(said["display_name"]),
            language=str(said["language"]),
            interrupt_mode="message" if said.get("interrupt_mode") == "message" else "signal",
            metadata=metadata if isinstance(metadata, dict) else {},
            argv=argv,
            resources=tuple(sorted(file for file in files if file.startswith("logo-"))),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
