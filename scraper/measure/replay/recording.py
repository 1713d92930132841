"""A recording: the answers that pages came from, with their latencies, and the list they are asked for with.

A folder of three files: `answers.jsonl` (heads and times), `bodies` (one behind the other, as they were sent),
`about.json` (when, of which list, what failed). Written as a whole or not at all.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from scraper import disk
from scraper.errors import ScraperError, WriteError

VERSION = 1
ABOUT, ANSWERS, BODIES = "about.json", "answers.jsonl", "bodies"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One answer as it came."""

    url: str
    """That was asked, canonical."""
    status: int
    headers: list[tuple[str, str]]
    """(name, value), in the order in which they came."""
    head_s: float
    """Seconds from the request to the head, connecting included."""
    body_s: float
    """Seconds from the head to the last byte."""
    offset: int
    """Where in `bodies` its body begins."""
    size: int


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A URL of the list whose page came."""

    url: str
    """Canonical."""
    extra: dict[str, Any] | None = None
    """The record's other columns."""


class About(msgspec.Struct, frozen=True):
    """What a recording is of."""

    version: int
    made_at: str
    """RFC 3339, UTC."""
    digest: str
    """Of the URLs of the list it was made with: `digest_of`."""
    asked: list[Asked]
    failed: dict[str, int]
    """Kind of failure -> URLs that are left out."""


def digest_of(urls: Iterable[str]) -> str:
    """By what it is known that a list is the one that was recorded.

    >>> digest_of(["http://a.example/"]) == digest_of(["http://a.example/", "http://b.example/"])
    False
    """
    found = blake2b(digest_size=16)
    for url in urls:
        found.update(url.encode(errors="replace") + b"\n")
    return found.hexdigest()


class Recording:
    """A recording on disk, for reading."""

    def __init__(self, folder: Path, about: About) -> None:
        """Use `open_recording`."""
        self.folder = folder
        self.about = about

    def answers(self) -> Iterator[Answer]:
        """All answers, the last one of each URL last."""
        decode = msgspec.json.Decoder(Answer).decode
        with (self.folder / ANSWERS).open("rb") as lines:
            yield from map(decode, lines)

    @property
    def bodies(self) -> Path:
        """The file of the bodies."""
        return self.folder / BODIES


def open_recording(folder: Path) -> Recording | None:
    """The recording in a folder; None where there is none, or one of another version.

    Raises ScraperError where it is damaged.
    """
    try:
        about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as exc:
        raise ScraperError(f"{folder}: the recording is damaged ({exc}): make it again with --record") from exc
    return Recording(folder, about) if about.version == VERSION else None


class Tape:
    """A recording in the making: answers are added as they come. A context manager.

    It stands in a folder with `.part` behind its name until `finish`; left without that, nothing of it stays.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: where the recording is to be; what is there now stays until `finish`."""
        self._folder = folder
        self.part = folder.with_name(f"{folder.name}.part")
        self._offset = 0
        self._error: OSError | None = None
        self._encode = msgspec.json.Encoder().encode

    def __enter__(self) -> Self:
        """Make the folder. Raises WriteError where that cannot be done."""
        try:
            shutil.rmtree(self.part, ignore_errors=True)
            self.part.mkdir(parents=True)
            self._answers = (self.part / ANSWERS).open("wb")
            self._bodies = (self.part / BODIES).open("wb")
        except OSError as exc:
            raise WriteError(f"{self.part}: cannot be written: {exc.strerror}") from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not finished."""
        with suppress(OSError):  # a disk that is full has told so already
            self._answers.close()
            self._bodies.close()
        shutil.rmtree(self.part, ignore_errors=True)

    def add(
        self, url: str, status: int, headers: list[tuple[str, str]], head_s: float, body_s: float, body: bytes
    ) -> None:
        """Keep an answer. Where it cannot be written, `finish` will say so: no page is to be blamed for it."""
        answer = Answer(url, status, headers, round(head_s, 5), round(body_s, 5), self._offset, len(body))
        try:
            self._bodies.write(body)
            self._answers.write(self._encode(answer) + b"\n")
        except OSError as exc:
            self._error = self._error or exc
        self._offset += len(body)

    def finish(self, about: About) -> Recording:
        """Put the recording in its place; gives it. Raises WriteError where that cannot be done."""
        try:
            if self._error is not None:
                raise self._error
            self._answers.close()
            self._bodies.close()
            (self.part / ABOUT).write_bytes(msgspec.json.encode(about))
            shutil.rmtree(self._folder, ignore_errors=True)
            disk.replace(self.part, self._folder)
        except OSError as exc:
            raise WriteError(f"{self._folder}: cannot be written: {exc.strerror}") from exc
        return Recording(self._folder, about)
