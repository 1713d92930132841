"""Output folders as runs leave them, made without fetching anything."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scraper.config import load_config, row_shape
from scraper.errors import ScraperError
from scraper.folder import OutputFolder
from scraper.journal import FORMAT_VERSION, JournalHeader, Position, Session, encode_line
from scraper.places import places
from scraper.records import Failure
from scraper.rowform import row_form
from scraper.stores import StoreOptions
from scraper.urls.canonical import key_of
from scraper.write.encode import failure_line
from scraper.write.encoders import row_encoder
from scraper.write.writer import Entry

AT = "2026-11-22T14:46:05.416Z"
"""When the rows were fetched."""

Rows = Sequence[Mapping[str, Any]]


def page_row(url: str, **fields: Any) -> dict[str, Any]:
    """A row as the parse workers make it."""
    return {"url": url, "final_url": url, "status": 200, "fetched_at": AT, **fields}


def failure(url: str, kind: Any, message: str, status: int | None = None) -> Failure:
    return Failure(url, kind, message, status, 1, AT, None)


def make_run(
    folder: Path,
    rows: Rows,
    *settings: str,
    failures: Iterable[Failure] = (),
    carried: Sequence[str] = (),
    summary: Mapping[str, Any] | None = None,
) -> None:
    """A session that wrote these rows and failures; `settings` as `--set` takes them."""
    config = load_config(None, settings)
    write = config.write
    form = row_form(config, row_shape(config), carried, is_open=False)
    where = places(folder, write.formats, write.written_paths, write.paths)
    options = StoreOptions(folder, form.columns, write.table, write.part_bytes)
    encoders = [row_encoder(format, form.columns) for format in write.formats]
    entries = [Entry(number_of(row["url"]), "ok", _encoded(row, encoders)) for row in rows]
    entries += [Entry(number_of(failed.url), failed.error, failure_line(failed)) for failed in failures]
    with OutputFolder(folder, form, where, options, fresh=False) as output:
        writer = output.writer(
            lambda done: None, _fail, lambda: Position(len(entries)), commit_every_s=0.0, commit_bytes=1
        )
        writer.start()
        writer.put(entries)
        writer.close()
        if summary is not None:
            output.write_summary(dict(summary))


def number_of(url: str) -> int:
    """The URL's key in the journal."""
    key = key_of(url)
    return hash(url) % 2**64 if key is None else key


def write_journal(folder: Path, *records: msgspec.Struct, shape: Mapping[str, Any] | None = None) -> None:
    """A journal with these records behind a header of the shape."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"format": ["jsonl"], "path": [""], "fields": {}, **(shape or {})}
    header = JournalHeader(FORMAT_VERSION, told, "2026-11-22T14:00:00Z")
    (folder / "journal").write_bytes(b"".join(map(encode_line, (header, *records))))


def session(pid: int = 7, at: str = "2026-11-22T14:00:00Z") -> Session:
    return Session(pid, at)


def _encoded(row: Mapping[str, Any], encoders: Sequence[Any]) -> bytes:
    pieces = [encode(row) for encode in encoders]
    return pieces[0] if len(pieces) == 1 else msgspec.msgpack.encode(pieces)


def _fail(error: ScraperError) -> None:
    raise AssertionError(error)
