"""Argon2id, in threads of its own and only a few at a time: each hash takes 64 MiB for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from collegium.ground.errors import Unavailable

HASHING_MAX = 2
ASKING_MAX = 64


class Argon2Passwords:
    """The port `Passwords`, by argon2-cffi with the parameters of RFC 9106 for machines with little memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter = anyio.CapacityLimiter(HASHING_MAX)
        self._asking = 0
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        with self._asked():
            return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._limiter)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        stored = password_hash or self._nobody
        with self._asked():
            right = await anyio.to_thread.run_sync(self._matches, stored, password, limiter=self._limiter)
        return right and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError) as error:
            raise RuntimeError("a stored password hash cannot be read") from error

    @contextmanager
    def _asked(self) -> Iterator[None]:
        if self._asking >= ASKING_MAX:
            raise Unavailable("Too many people are signing in at this moment. Please try again.")
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
