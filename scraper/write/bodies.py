"""Plain bodies kept on disk, for looking at a page that parsed oddly. Named by content: equal pages are one file."""

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from scraper.coding import CodingError, fault_for, plain_pieces
from scraper.errors import SinkError, WriteError
from scraper.records import Fault, Page

FOLDER = "bodies"

_OURS = re.compile(r"[0-9a-f]{32}\.(html|part)")


class BodyFolder:
    """The folder `bodies/` of an output folder. Files are written beside the loop, and appear whole or not at all."""

    def __init__(self, output: Path, max_body: int) -> None:
        """Create the folder, for bodies of so many plain bytes. Raises SinkError where that cannot be done."""
        self._output = output
        self._max_body = max_body
        try:
            (output / FOLDER).mkdir(exist_ok=True)
        except OSError as exc:
            raise SinkError(f"{output / FOLDER}: cannot be made: {exc.strerror}") from exc

    async def keep(self, page: Page) -> Page | Fault:
        """`keep_here` beside the loop."""
        return await asyncio.to_thread(self.keep_here, page)

    def keep_here(self, page: Page) -> Page | Fault:
        """Store the plain body; gives the page, still as it came, with `body_file` set, or why its body is not whole.

        Piece by piece: nobody has reserved memory for a plain body. Raises WriteError where it cannot be written.
        """
        part = self._output / FOLDER / f"{os.getpid():012x}{id(page):020x}.part"
        try:
            name = body_name(_write(part, plain_pieces(page.body, page.coding, self._max_body)))
            os.replace(part, self._output / name)
        except CodingError as error:
            return fault_for(error, page.status)
        except OSError as exc:
            where = self._output / FOLDER
            raise WriteError(f"{where}: cannot be written: {exc.strerror}; mend the cause and resume") from exc
        finally:
            with suppress(OSError):  # none there where all went well
                os.unlink(part)
        return replace(page, body_file=name)


def body_name(digest: str) -> str:
    """The file name of a body, relative to the output folder: the first 128 bits of its SHA-256.

    >>> body_name(hashlib.sha256(b"").hexdigest())
    'bodies/e3b0c44298fc1c149afbf4c8996fb924.html'
    """
    return f"{FOLDER}/{digest[:32]}.html"


def _write(path: Path, pieces: Iterator[bytes]) -> str:
    """Write the pieces; gives their SHA-256."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def remove_parts(output: Path) -> None:
    """Remove what a crash left half-written."""
    _remove(output, ".part")


def remove_bodies(output: Path) -> None:
    """Remove all kept bodies, and their folder where it holds nothing else."""
    _remove(output, "")
    with suppress(OSError):  # none there, or not empty: somebody's files are in it
        os.rmdir(output / FOLDER)


def _remove(output: Path, suffix: str) -> None:
    for file in (output / FOLDER).glob(f"*{suffix}"):
        if _OURS.fullmatch(file.name):
            os.unlink(file)
