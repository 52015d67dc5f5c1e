"""Networks of runtimes: made before the sandbox, outside of it, and gone with it."""

from dataclasses import dataclass
from pathlib import Path

from collegium_runtimed.plan import Network


@dataclass(frozen=True, slots=True)
class Link:
    """A network namespace that a runtime's first process joins instead of making one.

    `user_fd`: the user namespace that owns it, to be joined first, where the engine is no root. The caller closes
    both descriptors; the namespace lives on while something is in it.
    """

    net_fd: int
    user_fd: int | None = None
    resolv_conf: str = ""
    """The text of /etc/resolv.conf inside."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables inside: where the proxy is."""


class Networks:
    """Makes a namespace for each runtime that is not without network; what it starts, it finds again by `folder`."""

    def __init__(self, folder: Path, *, root: bool) -> None:
        self.modes: frozenset[str] = frozenset({"none"})
        """What can be had on this machine, known after `open`."""
        self.missing: list[dict[str, str]] = []
        self._folder = folder
        self._root = root

    async def open(self, slots: frozenset[str]) -> None:
        """Try what this machine can do; end what was left for runtimes other than `slots`."""

    async def make(self, slot: str, network: Network) -> Link | None:
        """A network for the runtime in this slot, or None for none at all. Raises OSError."""
        return None

    async def remove(self, slot: str) -> None:
        """Nothing of it stays; it may be gone already."""
