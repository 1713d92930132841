"""Raw bodies kept on disk, for looking at a page that parsed oddly. Named by content: equal pages are one file."""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

import aiofiles
import aiofiles.os
from msgspec.structs import replace

from scraper.errors import SinkError, WriteError
from scraper.records import Page

FOLDER = "bodies"

_OURS = re.compile(r"[0-9a-f]{32}\.(html|[0-9a-f]+\.part)")


class BodyFolder:
    """The folder `bodies/` of an output folder. Files are written beside the loop, and appear whole or not at all."""

    def __init__(self, output: Path) -> None:
        """Create the folder. Raises SinkError where that cannot be done."""
        self._output = output
        try:
            (output / FOLDER).mkdir(exist_ok=True)
        except OSError as exc:
            raise SinkError(f"{output / FOLDER}: cannot be made: {exc.strerror}") from exc

    async def keep(self, page: Page) -> Page:
        """Store the body as it came, less its Content-Encoding; gives the page with `body_file` set.

        Raises WriteError where it cannot be written.
        """
        name = body_name(page.body)
        path = self._output / name
        try:
            if not await aiofiles.os.path.exists(path):
                await _write_whole(path, page.body)
        except OSError as exc:
            raise WriteError(f"{path}: cannot be written: {exc.strerror}; mend the cause and resume") from exc
        return replace(page, body_file=name)


def body_name(body: bytes) -> str:
    """The file name of a body, relative to the output folder: the first 128 bits of its SHA-256.

    >>> body_name(b"")
    'bodies/e3b0c44298fc1c149afbf4c8996fb924.html'
    """
    return f"{FOLDER}/{hashlib.sha256(body).hexdigest()[:32]}.html"


async def _write_whole(path: Path, body: bytes) -> None:
    part = path.with_suffix(f".{id(body):x}.part")
    try:
        async with aiofiles.open(part, "wb") as file:
            await file.write(body)
        await aiofiles.os.replace(part, path)
    except OSError:
        with suppress(OSError):
            await aiofiles.os.unlink(part)
        raise


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
