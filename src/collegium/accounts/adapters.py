"""Argon2id, in threads of its own and only a few at a time: each hash takes 64 MiB for a moment."""

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from collegium.ground.errors import Unavailable

HASHING_MAX = 2
WAITING_MAX = 64


class Argon2Passwords:
    """The port `Passwords`, by argon2-cffi with the parameters of RFC 9106 for machines with little memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter = anyio.CapacityLimiter(HASHING_MAX)
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        self._refuse_crowd()
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._limiter)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        self._refuse_crowd()
        right = await anyio.to_thread.run_sync(
            self._matches, password_hash or self._nobody, password, limiter=self._limiter
        )
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

    def _refuse_crowd(self) -> None:
        if self._limiter.statistics().tasks_waiting >= WAITING_MAX:
            raise Unavailable("Too many people are signing in at this moment. Please try again.")
