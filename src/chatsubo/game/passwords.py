"""Password hashes: argon2id, in few threads of its own, so that a school that logs in does not starve the pages."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19 * 1024
PASSES = 2
THREADS = 2

Result = TypeVar("Result")


class Passwords:
    """Makes and checks password hashes. One check takes about 40 ms of one core."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return a new hash of ``password``."""
        return await self._run(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether ``password`` is the one that was hashed.

        Args:
            password_hash: The hash; ``None`` for an account that does not exist, which takes as long and is false.
            password: What was typed.
        """
        if password_hash is None:
            self._decoy = self._decoy or await self.hash("nobody has this password")
            await self._run(self._verify, self._decoy, password)
            return False
        return await self._run(self._verify, password_hash, password)

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether the hash was made with other costs than those of today."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., Result], *args: str) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
