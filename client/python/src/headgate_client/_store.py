"""Where a reader without a named subscription keeps its position."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Protocol

_CURSOR = re.compile(r"[A-Za-z0-9_-]{22}(?:[A-Za-z0-9_-]{10})?", re.ASCII)


class Store(Protocol):
    """Keeps one subscription's position. It is used by one iteration at a time.

    The asyncio client calls it in a thread of its own.
    """

    def load(self) -> str | None:
        """Returns the last cursor saved, None when there is none yet.

        Whatever keeps it from knowing must be raised: a cursor that is taken for missing would send the subscription
        back to its start.
        """

    def save(self, cursor: str) -> None:
        """Keeps the cursor. When it returns the cursor must survive a crash."""


class AsyncStore(Protocol):
    """A Store for the asyncio client, whose methods are coroutines."""

    async def load(self) -> str | None:
        """As in Store."""

    async def save(self, cursor: str) -> None:
        """As in Store. It is finished even when the iteration is cancelled meanwhile."""


class FileStore:
    """Keeps the cursor in a file of its own, readable by its owner only. A missing or empty file has no cursor.

    save replaces the file in one step and syncs it, so a crash leaves either the old cursor or the new one. That is a
    write to the disk for each message: where that is too slow, save less often in a Store of your own. Both methods raise
    OSError, and ValueError for what is not a cursor.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    def load(self) -> str | None:
        """Returns the cursor in the file, None when it is missing or empty."""
        try:
            with open(self._path, "rb") as file:
                content = file.read().strip().decode("ascii", "replace")
        except FileNotFoundError:
            return None
        if content and not _CURSOR.fullmatch(content):
            raise ValueError(f"{self._path} does not hold a cursor: restore it, or remove it to begin again")
        return content or None

    def save(self, cursor: str) -> None:
        """Replaces the file."""
        if not _CURSOR.fullmatch(cursor):
            raise ValueError(f"{self._path}: what is to be saved is not a cursor")
        new = self._path + ".new"
        with contextlib.suppress(FileNotFoundError):
            os.remove(new)  # what a crash may have left there
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(cursor + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._path)
        _sync_folder(os.path.dirname(self._path) or ".")


def _sync_folder(path: str) -> None:
    """Makes a rename durable. Windows cannot sync a folder."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
