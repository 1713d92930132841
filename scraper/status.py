"""How a run in a folder stands: what is done, failing and waiting, and why. Reads only, and no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from scraper.config import DATABASES
from scraper.errors import SinkError
from scraper.folder import FAILURES, JOURNAL, SUMMARY
from scraper.journal import Commit, JournalHeader, Position, Session, is_held, read_header, read_records
from scraper.ledger import DUPLICATE, OK
from scraper.places import NAMES, Place, places_told
from scraper.reasons import Reasons, committed_failures, reasons_of
from scraper.resume import MADE_BY, Done

State = Literal["running", "finished", "limited", "interrupted", "killed"]
"""finished: every record has its outcome. limited: the same, up to --limit. killed: the last session told no end."""


@dataclass(frozen=True, slots=True)
class Store:
    """One place that rows go to."""

    format: str
    path: str
    """As the user wrote it."""
    rows: int | None
    """Committed ones; None of an archive, which holds other pages too."""
    bytes: int | None
    """None of a server."""
    problem: str | None = None
    """What is wrong with its files, None = nothing."""


@dataclass(frozen=True, slots=True)
class Status:
    """A folder's run."""

    folder: Path
    made_by: str | None
    """The command, where it was not `scraper run`."""
    state: State
    pid: int | None
    """Of the process that writes here now, None = nobody does."""
    sessions: int
    first_at: str
    """When the first session began: RFC 3339, UTC, as the others."""
    last_at: str
    """When the last one began."""
    written_at: str
    """When the journal was last written to."""
    outcomes: dict[str, int]
    """Outcome -> URLs, most frequent first."""
    reasons: Mapping[str, Reasons]
    """Of the kinds of failures among them."""
    waiting: Position
    """At the last commit."""
    unfinished: int
    """Records that were read and have no outcome."""
    stores: Sequence[Store]
    summary: dict[str, Any] | None
    """What the last session that came to an end wrote, None where there was none."""

    @property
    def done(self) -> int:
        """URLs with an outcome."""
        return sum(self.outcomes.values())

    @property
    def failures(self) -> dict[str, int]:
        """Those that failed, by kind, most frequent first."""
        return {kind: n for kind, n in self.outcomes.items() if kind not in (OK, DUPLICATE)}


def status_of(folder: Path) -> Status:
    """How the run in a folder stands; a run may be writing there.

    Raises SinkError where there is none, and where its journal cannot be read: damaged at its head, of another version.
    """
    path = folder / JOURNAL
    try:
        held, header = is_held(path), read_header(path)
        written_at = path.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        header = None
    if header is None:
        raise SinkError(f"{folder}: no run has written here (there is no {JOURNAL}): name the folder of -o")
    past = _read(path)
    summary = _summary(folder)
    state = _state(past, held, summary, _changed_at(folder / SUMMARY))
    return Status(
        folder=folder,
        made_by=header.shape.get(MADE_BY),
        state=state,
        pid=past.sessions[-1].pid if state == "running" and past.sessions else None,
        sessions=len(past.sessions),
        first_at=header.created,
        last_at=past.sessions[-1].at if past.sessions else header.created,
        written_at=_rfc3339(written_at),
        outcomes=dict((+past.done.totals).most_common()),
        reasons=reasons_of(
            committed_failures(folder / FAILURES, past.done.files.get(FAILURES, 0)),
            past.done.stale,
        ),
        waiting=past.at,
        unfinished=_unfinished(state, past.at, summary),
        stores=_stores(folder, header, past.done),
        summary=summary,
    )


NOWHERE = Position()
"""Before the first commit."""


@dataclass(slots=True)
class _Past:
    """The sum of a journal."""

    done: Done
    sessions: list[Session]
    at: Position = NOWHERE
    since: int = 0
    """Commits of the last session."""


def _read(path: Path) -> _Past:
    past = _Past(Done(), [])
    for record in read_records(path):
        if isinstance(record, Commit):
            past.done.add(record)
            past.at = record.at
            past.since += 1
        else:
            past.sessions.append(record)
            past.since = 0
    return past


def _state(past: _Past, held: bool | None, summary: Mapping[str, Any] | None, told_at: float) -> State:
    """`told_at`: when the summary was written, seconds since the epoch.

    A session that found nothing to do commits nothing and leaves the summary of the one before.
    """
    if held:
        return "running"
    began_at = datetime.fromisoformat(past.sessions[-1].at).timestamp() if past.sessions else 0.0
    if summary is None or (past.since and told_at < began_at):
        return "killed"
    if not summary.get("finished"):
        return "interrupted"
    return "limited" if summary.get("limited") else "finished"


def _unfinished(state: State, at: Position, summary: Mapping[str, Any] | None) -> int:
    """A session that came to an end has counted them; of the others the last commit tells."""
    if state in ("running", "killed") or summary is None:
        return at.queued + at.in_flight + at.parsing
    return int(summary.get("unfinished", 0))


def _summary(folder: Path) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode((folder / SUMMARY).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# -- the stores -------------------------------------------------------------------------------------------------------


def _stores(folder: Path, header: JournalHeader, done: Done) -> list[Store]:
    rows = done.totals[OK]
    try:
        where = places_told(folder, header.shape)
    except ValueError as exc:
        formats, paths = header.shape["format"], header.shape["path"]
        return [Store(format, path, rows, None, str(exc)) for format, path in zip(formats, paths, strict=True)]
    return [_store(place, folder, done, rows) for place in where]


def _store(place: Place, folder: Path, done: Done, rows: int) -> Store:
    counted = None if place.format == "warc" else rows
    if place.format in DATABASES:
        size, problem = (None, None) if place.path is None else _size(place.path)
        return Store(place.format, place.shown, counted, size, problem)
    files = {name: size for name, size in done.files.items() if _is_of(place, folder, name)}
    here = {folder / name: size for name, size in files.items() if "://" not in name}
    problems = [problem for path, size in here.items() if (problem := _shortage(path, size))]
    return Store(place.format, place.shown, counted, sum(files.values()), "; ".join(problems) or None)


def _is_of(place: Place, folder: Path, name: str) -> bool:
    """Whether a file of the journal holds rows of a place: it, a part in it, or rows that wait for their part."""
    if name == f"{NAMES.get(place.format)}.rows":
        return True
    if place.path is None:
        return name.startswith(f"{place.shown.rstrip('/')}/")
    return (folder / name).absolute().is_relative_to(place.path.absolute())


def _size(path: Path) -> tuple[int | None, str | None]:
    try:
        return path.stat().st_size, None
    except OSError as exc:
        return None, f"{path}: {exc.strerror}"


def _shortage(path: Path, committed: int) -> str | None:
    if not committed:
        return None
    size, problem = _size(path)
    if size is not None and size < committed:
        return f"{path}: has {size:,} bytes, but {committed:,} were committed: it was changed by hand"
    return problem
