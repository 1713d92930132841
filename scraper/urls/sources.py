"""The input: arguments, files and standard input as one stream of records. Files are read with aiofiles, in chunks.

The loop never waits for a disk, and memory does not grow with the list. What bytes mean is decided in `formats.py`.
"""

import asyncio
import stat
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import islice
from typing import BinaryIO, NamedTuple

import aiofiles

from scraper import weburl
from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls.formats import ListReader, checked_format, format_of
from scraper.urls.opening import mode_of, unreadable
from scraper.urls.replies import peek_replies, replies_of
from scraper.urls.stdin import chunks_of

STDIN = "-"
CHUNK_BYTES = 1 << 15
"""Some 600 records, 1 to 3 ms of the loop's thread; twice as much was no faster."""

_PEEK_CHUNKS = 8


async def read_sources(
    specs: Sequence[str],
    *,
    url_column: str | None = None,
    stdin: BinaryIO | None = None,
    format: str | None = None,
) -> AsyncGenerator[list[SourceLine], None]:
    """Give the records of all sources in order, in lists of some hundred.

    A source is a URL, `-` for standard input, or a file whose suffix tells its form: .csv, .tsv, .jsonl or .ndjson, any
    other is plain text; each may be gzipped. So may a .warc file, whose replies come with their place in it. `format`
    says it for all of them. `url_column` names the CSV column or JSON key with the URL; None = "url". `stdin` replaces
    standard input.

    Raises SourceError for a list that cannot be opened or is none. A record that cannot be read is given with its
    error. Close the generator (`contextlib.aclosing`) where it is left before its end.
    """
    for spec in specs:
        if is_url(spec):
            yield [SourceLine(weburl.whole_characters(spec.strip()))]
            continue
        form = format_of(spec, format)
        if form == "warc":
            records = replies_of(spec)
        else:
            reader = ListReader("standard input" if spec == STDIN else spec, form, url_column)
            records = _records_of(reader, await _chunks(spec, stdin))
        async with aclosing(records) as batches:
            async for batch in batches:
                yield batch


async def first_records(batches: AsyncGenerator[list[SourceLine], None], specs: Sequence[str]) -> list[SourceLine]:
    """Wait for the first records of what `read_sources` reads. Raises SourceError where there are none."""
    first = await anext(batches, None)
    if first is None:
        names = ", ".join("standard input" if spec == STDIN else spec for spec in specs)
        raise SourceError(f"{names}: nothing came, or nothing but comments: expected a list of URLs")
    return first


async def chained(
    first: list[SourceLine], rest: AsyncGenerator[list[SourceLine], None]
) -> AsyncGenerator[list[SourceLine], None]:
    """Give records that were read already, then the others; closes these when it is closed."""
    async with aclosing(rest):
        yield first
        async for batch in rest:
            yield batch


def check_sources(specs: Sequence[str], *, url_column: str | None = None, format: str | None = None) -> None:
    """Raise SourceError, before anything is fetched, for the first source that cannot be read or is no list of URLs.

    Looks at the first 256 KiB of each file; standard input and pipes are left untouched.
    """
    if format is not None:
        checked_format(format)
    if not specs:
        raise SourceError("no source: give URLs, a list such as urls.txt, or - for standard input")
    if list(specs).count(STDIN) > 1:
        raise SourceError("standard input (-) can be read only once")
    _refuse_mixture(specs, format)
    for spec in specs:
        if is_url(spec) or spec == STDIN:
            continue
        peek = _peek(spec, url_column, format)
        if peek.is_empty:
            raise SourceError(f"{spec} holds no URL: expected {_expected(format_of(spec, format))}")


def peek_columns(specs: Sequence[str], url_column: str | None = None, *, format: str | None = None) -> tuple[str, ...]:
    """Return the other columns that the lists' beginnings tell of, in order: of CSV headers and first JSON objects.

    Raises SourceError as `check_sources` does. Of standard input and pipes nothing is known.
    """
    names: dict[str, None] = {}
    for spec in specs:
        if not is_url(spec) and spec != STDIN:
            names |= dict.fromkeys(_peek(spec, url_column, format).columns)
    return tuple(names)


def may_carry_more(specs: Sequence[str], *, format: str | None = None) -> bool:
    """Return True where records may bring columns that `peek_columns` cannot know.

    JSON lines may bring a new key at any time, a CSV list that can be read only once shows its header too late.
    """
    return any(_is_open(spec, format) for spec in specs if not is_url(spec))


def _is_open(spec: str, format: str | None) -> bool:
    form = format_of(spec, format)
    is_read_once = spec == STDIN or not stat.S_ISREG(mode_of(spec))
    return form in ("jsonl", "warc") or (form != "txt" and is_read_once)


def are_archives(specs: Sequence[str], *, format: str | None = None) -> bool:
    """Return True where the sources are WARC files: their replies are read, and nothing is fetched.

    >>> are_archives(["a.warc.gz"]), are_archives(["urls.txt"]), are_archives(["https://a.example/a.warc"])
    (True, False, False)
    """
    return bool(specs) and all(_is_archive(spec, format) for spec in specs)


def _is_archive(spec: str, format: str | None) -> bool:
    return not is_url(spec) and format_of(spec, format) == "warc"


def _refuse_mixture(specs: Sequence[str], format: str | None) -> None:
    archives = [spec for spec in specs if _is_archive(spec, format)]
    if STDIN in archives:
        raise SourceError("a WARC archive cannot be standard input, for its replies are read once more: give the file")
    others = [spec for spec in specs if spec not in archives]
    if archives and others:
        raise SourceError(
            f"{archives[0]} is a WARC archive and {others[0]} is not: nothing is fetched in a run that reads archives, "
            "so give these in a command of their own"
        )


def is_url(spec: str) -> bool:
    """Return True if a source is a URL and no file.

    >>> is_url("https://a.example/"), is_url("ftp://a.example/"), is_url("urls.txt"), is_url("-")
    (True, True, False, False)
    """
    if "://" in spec:
        return True
    url = weburl.parse(spec)
    return url is not None and url.protocol in weburl.WEB_SCHEMES


class _Peek(NamedTuple):
    columns: tuple[str, ...]
    is_empty: bool


def _peek(path: str, url_column: str | None, format: str | None) -> _Peek:
    form = format_of(path, format)
    if form == "warc":
        columns, is_empty = peek_replies(path)
        return _Peek(columns, is_empty)
    reader = ListReader(path, form, url_column)
    mode = mode_of(path)
    if not stat.S_ISREG(mode):
        return _Peek((), is_empty=False)
    try:
        with open(path, "rb") as file:
            return _look_into(reader, file)
    except OSError as exc:
        raise unreadable(path, exc) from exc


def _look_into(reader: ListReader, file: BinaryIO) -> _Peek:
    for chunk in islice(iter(lambda: file.read(CHUNK_BYTES), b""), _PEEK_CHUNKS):
        if any(reader.feed(chunk)):
            return _Peek(reader.columns, is_empty=False)
    if file.read(1):
        return _Peek(reader.columns, is_empty=False)
    return _Peek(reader.columns, is_empty=not any(reader.finish()))


def _expected(form: str) -> str:
    return {
        "txt": "one URL a line",
        "jsonl": 'one object a line, such as {"url": "https://…"}',
        "warc": "replies to web requests (response records)",
    }.get(form, "a header line and one row for each URL")


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise SourceError("there is no standard input to read: give a file")
    return sys.stdin.buffer


async def _records_of(
    reader: ListReader, chunks: AsyncGenerator[bytes, None]
) -> AsyncGenerator[list[SourceLine], None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            for batch in reader.feed(chunk):
                yield batch
                await asyncio.sleep(0)  # one chunk of a gzip may hold many batches
    for batch in reader.finish():
        yield batch


async def _chunks(spec: str, stdin: BinaryIO | None) -> AsyncGenerator[bytes, None]:
    """What can make a read wait for ever, a terminal or a pipe, is read on a thread that nobody waits for."""
    if spec == STDIN:
        stream = stdin or _standard_input()
        return chunks_of(lambda: stream, "standard input")
    if stat.S_ISREG(await asyncio.to_thread(mode_of, spec)):
        return _chunks_of_file(spec)
    return chunks_of(lambda: open(spec, "rb", buffering=0), spec, is_owned=True)


async def _chunks_of_file(path: str) -> AsyncGenerator[bytes, None]:
    try:
        async with aiofiles.open(path, "rb") as file:
            while chunk := await file.read(CHUNK_BYTES):
                yield chunk
    except OSError as exc:
        raise unreadable(path, exc) from exc
