"""The database: one SQLite connection, one writer, one lock.

A session's evidence is written by one process; a single connection under a lock is simpler than many, and as fast, since
each commit waits for the disk anyway (`synchronous=FULL`: what was answered with 201 survives a power cut). Exclusive
locking makes a second service on the same folder fail at its start instead of losing records later.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import apsw

from secureproctor.service.schema import MIGRATIONS, VERSION

P = ParamSpec("P")
T = TypeVar("T")
_WORKERS = 8

Value = None | int | float | str | bytes
"""What a column may hold (apsw names this type for type checkers only)."""


class StoreError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class Store:
    """The database of one data folder. `transaction` blocks: call it from a thread, by `run`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="store")

    @classmethod
    def opened(cls, folder: Path) -> "Store":
        """Open or make the database. Raises StoreError."""
        connection = apsw.Connection(str(folder / "service.db"))
        try:
            _prepare(connection)
        except apsw.BusyError:
            connection.close()
            raise StoreError(
                f"Another service uses the folder {folder}. End it, or choose another folder with --data."
            ) from None
        except (apsw.Error, StoreError) as error:
            connection.close()
            raise StoreError(
                f"The database in {folder} cannot be used: {error}. Choose another folder with --data."
            ) from None
        return cls(connection)

    def close(self) -> None:
        """Wait for what is under way, and close."""
        self._threads.shutdown()
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[apsw.Cursor]:
        """All or nothing; durable when it returns."""
        with self._lock, self._connection:
            yield self._connection.cursor()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work in a thread. Cancelled, it still waits for the end: nobody may see the half of it."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise


def _prepare(connection: apsw.Connection) -> None:
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    with connection:
        (version,) = next(connection.execute("PRAGMA user_version"))
        if version > VERSION:
            raise StoreError(f"it was made by a newer version ({version}, this one knows {VERSION})")
        for step in range(version + 1, VERSION + 1):
            connection.execute(MIGRATIONS[step]).fetchall()
        connection.execute(f"PRAGMA user_version={VERSION}").fetchall()
