"""A report about the run in a folder: what is read for it, and the page that comes of it."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from scraper import disk
from scraper.errors import ScraperError, SinkError, UsageError
from scraper.folder import JOURNAL, SUMMARY
from scraper.journal import Commit, JournalHeader, read_header, read_records
from scraper.measure.page.html import GENERATOR, Html, el, page
from scraper.measure.report.fill import Fill, fill_of
from scraper.measure.report.performance import course, extremes, hosts, latency, limits
from scraper.measure.report.sections import Found, SummaryTold, fields, headline, lacking, outcomes, sessions
from scraper.measure.report.told import read_sessions
from scraper.places import replaceable
from scraper.resume import done_of
from scraper.rowform import columns_of, told_columns
from scraper.rowsource import RowSource, source_of
from scraper.status import Status, status_of

REPORT = "report.html"
HEAD_BYTES = 4096
"""Of a page of ours, in which its generator is named."""
NOT_READ = "The rows were not read (--no-rows)."


def write_report(folder: Path, output: Path | None, *, with_rows: bool = True) -> Path:
    """Write the report about the run in a folder, whole or not at all; gives its path. The run may go on meanwhile.

    `output`: the file, None = report.html in the folder. Raises SinkError where no run is in the folder, UsageError
    where the file is none of ours to replace, ScraperError for what is damaged, SinkError where it cannot be written.
    """
    status, path = status_of(folder), replaceable(output or folder / REPORT)
    _refuse(path)
    write_page(path, rendered(gather(status, with_rows=with_rows)))
    return path


def gather(status: Status, *, with_rows: bool = True) -> Found:
    """Read all that a report tells. `with_rows`: read the rows too, which takes 10 s a million."""
    fill, no_fill = _fill(status.folder) if with_rows else (None, NOT_READ)
    return Found(
        status=status,
        summary=_summary(status),
        sessions=read_sessions(status.folder),
        fill=fill,
        no_fill=no_fill,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def rendered(found: Found) -> Html:
    """The page."""
    told = found.session
    parts = [outcomes(found)]
    parts += [lacking(found)] if told is None else [limits(told), course(told), latency(told)]
    parts += [fields(found)]
    parts += [] if told is None else [hosts(told), extremes(told)]
    parts += [] if (earlier := sessions(found)) is None else [earlier]
    name = found.status.folder.resolve().name
    made = f"Made by scraper report at {found.made_at}."
    return page(f"Report of a run: {name}", parts, lead=[*headline(found)], made_by=made)


def write_page(path: Path, text: Html) -> None:
    """Put a page in its place as a whole. Raises SinkError where that cannot be done."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(text.encode())
        disk.replace(part, path)
    except OSError as exc:
        disk.unlink(part)
        raise SinkError(f"{path}: cannot be written: {exc.strerror}") from exc


def _refuse(path: Path) -> None:
    """Raise UsageError for a path that is something else than an earlier page of ours."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder: name a file in it with -o")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: is no folder: make it first, or name another place with -o")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return
    if head and el("meta", name="generator", content=GENERATOR).encode() not in head:
        raise UsageError(f"{path}: exists already and is no report: name another file with -o")


def _summary(status: Status) -> SummaryTold | None:
    path = status.folder / SUMMARY
    if status.summary is None and not path.exists():
        return None
    try:
        return msgspec.convert(status.summary, SummaryTold)
    except msgspec.ValidationError as exc:
        words = f"{path}: is damaged ({exc}): remove it, and the report does without what it told"
        raise ScraperError(words) from exc


def _fill(folder: Path) -> tuple[Fill | None, str]:
    """How the rows are filled; or None, and why. Raises ScraperError where there should be rows and are none."""
    header = read_header(folder / JOURNAL)
    if header is None:
        raise ScraperError(f"{folder / JOURNAL}: was removed meanwhile")
    done = done_of(record for record in read_records(folder / JOURNAL) if isinstance(record, Commit))
    with TemporaryDirectory(prefix="scraper-report-") as scratch:
        try:
            source = source_of(folder, header, done, Path(scratch))
        except SinkError as exc:
            raise _unread(exc) from exc
        except UsageError as exc:  # an archive, or a place that a variable names
            return None, f"{exc}."
        return _read(source, header), ""


def _read(source: RowSource, header: JournalHeader) -> Fill:
    told = columns_of(header.shape) or (told_columns(header.shape) if header.shape.get("fields") else ())
    try:
        return fill_of(source.read(), (column.name for column in told))
    except SinkError as exc:
        raise _unread(exc) from exc


def _unread(exc: SinkError) -> ScraperError:
    return ScraperError(f"{exc}; a report without the rows: --no-rows")
