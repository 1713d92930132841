"""The input: arguments, files and standard input as one stream of records. Files are read with aiofiles, in chunks.

The loop never waits for a disk, and memory does not grow with the list. What bytes mean is decided in `formats.py`.
"""

import asyncio
import os
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
from scraper.urls.formats import LIST_SUFFIXES, ListReader, checked_format, format_of
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
    other is plain text; each may be gzipped. `format` says it for all of them. `url_column` names the CSV column or
    JSON key with the URL; None = "url". `stdin` replaces standard input.

    Raises SourceError for a list that cannot be opened or is none. A record that cannot be read is given with its
    error. Close the generator (`contextlib.aclosing`) where it is left before its end.
    """
    for spec in specs:
        if is_url(spec):
            yield [SourceLine(weburl.whole_characters(spec.strip()))]
            continue
        name = "standard input" if spec == STDIN else spec
        reader = ListReader(name, format_of(spec, format), url_column)
        async with aclosing(_records_of(reader, await _chunks(spec, stdin))) as batches:
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
    is_read_once = spec == STDIN or not stat.S_ISREG(_mode(spec))
    return form == "jsonl" or (form != "txt" and is_read_once)


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
    reader = ListReader(path, format_of(path, format), url_column)
    mode = _mode(path)
    if not stat.S_ISREG(mode):
        return _Peek((), is_empty=False)
    try:
        with open(path, "rb") as file:
            return _look_into(reader, file)
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def _look_into(reader: ListReader, file: BinaryIO) -> _Peek:
    for chunk in islice(iter(lambda: file.read(CHUNK_BYTES), b""), _PEEK_CHUNKS):
        if any(reader.feed(chunk)):
            return _Peek(reader.columns, is_empty=False)
    if file.read(1):
        return _Peek(reader.columns, is_empty=False)
    return _Peek(reader.columns, is_empty=not any(reader.finish()))


def _mode(path: str) -> int:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as exc:
        raise _unreadable(path, exc) from exc
    if stat.S_ISDIR(mode):
        raise SourceError(f"{path} is a directory: give a list in it, such as {os.path.join(path, 'urls.txt')}")
    return mode


def _unreadable(path: str, exc: OSError | ValueError) -> SourceError:
    if isinstance(exc, FileNotFoundError):
        return SourceError(f"no such file: {path}{_hint_of_page(path)}")
    if isinstance(exc, PermissionError):
        return SourceError(f"{path} may not be read: permission denied")
    return SourceError(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}")


def _hint_of_page(path: str) -> str:
    rest = None if path.startswith((".", "/")) or path.endswith(LIST_SUFFIXES) else weburl.missing_scheme(path)
    return f"; for a web page write https://{rest}" if rest else ""


def _expected(form: str) -> str:
    return {"txt": "one URL a line", "jsonl": 'one object a line, such as {"url": "https://…"}'}.get(
        form, "a header line and one row for each URL"
    )


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
    if stat.S_ISREG(await asyncio.to_thread(_mode, spec)):
        return _chunks_of_file(spec)
    return chunks_of(lambda: open(spec, "rb", buffering=0), spec, is_owned=True)


async def _chunks_of_file(path: str) -> AsyncGenerator[bytes, None]:
    try:
        async with aiofiles.open(path, "rb") as file:
            while chunk := await file.read(CHUNK_BYTES):
                yield chunk
    except OSError as exc:
        raise _unreadable(path, exc) from exc
