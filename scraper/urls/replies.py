"""An archive's replies, looked for on a thread: to find them the whole file is unpacked."""

import asyncio
import stat
import time
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from typing import BinaryIO

from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls.archive import read_archive
from scraper.urls.opening import mode_of, unreadable

BUFFER_BYTES = 1 << 15
_PEEK_REPLIES = 64
_BATCH_REPLIES = 32
"""With the most that each may carry, 64 MiB."""
_BATCH_S = 0.05
"""A thread looks for replies no longer than this at once: nobody can interrupt it."""


def peek_replies(path: str) -> tuple[tuple[str, ...], bool]:
    """The other columns of an archive's first reply that has any, and whether there is no reply. Raises SourceError."""
    with _open_archive(path) as file:
        found = list(islice(read_archive(file, path), _PEEK_REPLIES))
    columns = next((tuple(line.extra) for line in found if line is not None and line.extra), ())
    return columns, not any(found) and len(found) < _PEEK_REPLIES


async def replies_of(path: str) -> AsyncGenerator[list[SourceLine], None]:
    """Give the replies of an archive, in lists of some. Raises SourceError for a file that is none."""
    with await asyncio.to_thread(_open_archive, path) as file:
        lines = read_archive(file, path)
        while (batch := await asyncio.to_thread(_next_batch, lines)) is not None:
            if batch:
                yield batch


def _next_batch(lines: Iterator[SourceLine | None]) -> list[SourceLine] | None:
    """The next replies, perhaps none yet; None at the end."""
    batch: list[SourceLine] = []
    until = time.monotonic() + _BATCH_S
    for line in lines:
        if line is not None:
            batch.append(line)
        if len(batch) == _BATCH_REPLIES or time.monotonic() > until:
            return batch
    return batch or None


def _open_archive(path: str) -> BinaryIO:
    if not stat.S_ISREG(mode_of(path)):
        raise SourceError(
            f"{path} is no file but a pipe or a device: an archive is read more than once, so save it first"
        )
    try:
        return open(path, "rb", buffering=BUFFER_BYTES)
    except OSError as exc:
        raise unreadable(path, exc) from exc
