"""A WARC file as a source: one record for each reply in it. Reads an open file, and of a reply only its first line.

    response ─► held back ─► its request, its metadata ─► another record or the end: given

The metadata that `write/warc.py` puts behind a reply says which URL was written in the first run's list, and with which
other columns. Replies of others' archives stand for the URL that answered.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import BinaryIO

import msgspec

from scraper.errors import SourceError
from scraper.records import ArchivePlace, SourceLine
from scraper.warcfile import (
    INPUT_FIELD,
    ArchivedInput,
    ArchiveError,
    CutError,
    ForeignError,
    LengthError,
    Record,
    open_record,
    parse_fields,
)

MAX_METADATA_BYTES = 2 << 20
"""The other columns of one record: a line of a list may have half as much."""

_STATUS_BYTES = 256
_STATUS = re.compile(rb"HTTP/\S+\s+(\d{3})\b")
_REDIRECTS = frozenset({b"300", b"301", b"302", b"303", b"307", b"308"})


_decode_input = msgspec.json.Decoder(ArchivedInput).decode


def read_archive(file: BinaryIO, name: str) -> Iterator[SourceLine | None]:
    """Give one record for each reply with a final status: redirects lead to replies of their own.

    None comes now and then while nothing is found, so that the caller can stop: a record may be of any length. What
    cannot be read ends the list with a record that says so. `name`: the file's path, for places and messages. Raises
    SourceError for a file that is no WARC file.
    """
    pairing = _Pairing(name)
    try:
        yield from _read(file, pairing)
    except ForeignError as exc:
        raise SourceError(f"{name} {exc}") from exc
    except (ArchiveError, OSError) as exc:
        cut_reply = isinstance(exc, CutError) and pairing.is_in_reply
        yield from pairing.flush()
        if not cut_reply:  # that one's own outcome will say it
            what = f"the archive is damaged behind byte {pairing.offset:,}, and what follows is lost: {exc}"
            yield SourceLine(name, pairing.number + 1, error=what)
    yield from pairing.flush()


def _read(file: BinaryIO, pairing: "_Pairing") -> Iterator[SourceLine | None]:
    while (record := open_record(file)) is not None:
        yield from pairing.take(record)
        with suppress(LengthError):  # a reply's own outcome will say it; of the others nothing is missed
            yield from record.finish()
        pairing.pass_by(file.tell())


class _Pairing:
    """Holds a reply until it is known whether metadata of it follows."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._held: SourceLine | None = None
        self._held_id = ""
        self._numbers = count(1)
        self.number = 0
        self.offset = 0
        self.is_in_reply = False
        """The record at hand is a reply that is to have an outcome."""

    def take(self, record: Record) -> Iterator[SourceLine]:
        """Look at the next record; gives the held reply where this one is not about it."""
        self.number, self.offset = next(self._numbers), record.offset
        if self._held is not None and self._is_about_held(record):
            if record.get("warc-type") == "metadata":
                self._read_metadata(record)
            return
        yield from self.flush()
        if _is_reply(record):
            self.is_in_reply = True
            self._held_id = record.get("warc-record-id")
            self._held = SourceLine(record.uri, self.number, place=ArchivePlace(self._name, record.offset))

    def pass_by(self, offset: int) -> None:
        """The record at hand was whole, and ended at this offset."""
        self.offset, self.is_in_reply = offset, False

    def flush(self) -> Iterator[SourceLine]:
        """Give what is held: nothing more is said of it."""
        held, self._held = self._held, None
        if held is not None:
            yield held

    def _is_about_held(self, record: Record) -> bool:
        about = ("warc-concurrent-to", "warc-refers-to")
        return bool(self._held_id) and any(key in about and value == self._held_id for key, value in record.fields)

    def _read_metadata(self, record: Record) -> None:
        if record.length > MAX_METADATA_BYTES or self._held is None:
            return
        fields = dict(parse_fields(iter(record.read(record.length).splitlines())))
        try:
            told = _decode_input(fields[INPUT_FIELD])
        except (KeyError, msgspec.MsgspecError, RecursionError):  # somebody else's, or changed by hand
            return
        self._held = msgspec.structs.replace(self._held, text=told.url, extra=told.extra)


def _is_reply(record: Record) -> bool:
    """A reply to a web request, with a status that is no redirect's. A broken first line is for its outcome to tell."""
    is_http = record.get("content-type").lower().startswith("application/http")
    if record.get("warc-type") != "response" or not is_http or not record.uri.lower().startswith(("http:", "https:")):
        return False
    status = _STATUS.match(record.read_line(_STATUS_BYTES)) if record.length else None
    return status is None or status[1] not in _REDIRECTS
