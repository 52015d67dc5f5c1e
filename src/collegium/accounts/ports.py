"""What accounts need of the world."""

from typing import Protocol


class Passwords(Protocol):
    """Turns passwords into hashes that are slow to guess, and checks them."""

    async def hash(self, password: str) -> str:
        """A salted hash of the password. Raises Unavailable when too many wait already."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash was made of this password.

        None (there is no such account) takes as long as a wrong password does, and is never right.
        """

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than hashes are made with now."""
