"""Every lasting effect that writer and journal have: one small function each, and nothing decided here.

It is one file so that the tests can end the process, or fail a call, at each effect in turn. `step` marks an effect
that somebody else carries out, such as a database.
"""

import os
from io import FileIO
from pathlib import Path

from scraper.stopwatch import Stopwatch

forcing = Stopwatch()
"""The time in which the disk was waited for, and databases that answer when it is done. The writer's thread."""


def step(name: str) -> None:
    """Mark that an effect follows, under a name the tests show. Does nothing."""


def write_all(file: FileIO, data: bytes) -> None:
    """Append all of `data`; after an OSError an unknown part of it stands in the file."""
    left = memoryview(data)
    while left:  # an unbuffered write may take less than it was given
        left = left[write_some(file, left) :]


def write_some(file: FileIO, data: memoryview) -> int:
    """Append what the system takes in one call; gives how many bytes that were."""
    written = file.write(data)
    return written or 0


def sync(file: FileIO) -> None:
    """Force a file to the disk."""
    with forcing:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Force names made or changed in a folder to the disk; without it a power cut may take a rename back."""
    if os.name == "nt":  # Windows cannot open a folder, and its journalled renames need no such thing
        return
    number = os.open(path, os.O_RDONLY)
    try:
        with forcing:
            os.fsync(number)
    finally:
        os.close(number)


def truncate(file: FileIO, length: int) -> None:
    """Cut a file back."""
    file.truncate(length)


def replace(source: Path, target: Path) -> None:
    """Give a file another's name; whoever looks sees the old one or the new one whole."""
    os.replace(source, target)


def unlink(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)
