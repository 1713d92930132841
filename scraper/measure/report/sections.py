"""The parts of a report that tell what a run brought: its headline, outcomes, fields and sessions. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from scraper.histogram import quantile
from scraper.ledger import DUPLICATE, OK
from scraper.measure.page import html
from scraper.measure.page.figures import duration, share, short, size
from scraper.measure.page.html import Html, Num, Section
from scraper.measure.report.fill import MOST_DISTINCT, MOST_FIELDS, Fill
from scraper.measure.report.told import SessionTold, limit_words, telling
from scraper.reasons import advice_on
from scraper.status import Status
from scraper.summary import Summary

STATES = {
    "running": "still running: what it has committed so far",
    "finished": "finished",
    "limited": "finished up to --limit",
    "interrupted": "interrupted: the same command resumes",
    "killed": "ended without a word, killed or by a crash: the same command resumes",
}
SHOWN_HOSTS = 3
"""Of each kind of failure."""


class SummaryTold(msgspec.Struct, frozen=True):
    """What a report needs of summary.json."""

    finished: bool
    input: int
    ok: int
    failures: dict[str, int]
    duplicates: int
    unfinished: int
    seconds: float
    pages_per_s: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to tell of a run."""

    status: Status
    summary: SummaryTold | None
    """Of the last session that came to its end; None where there was none."""
    sessions: list[SessionTold] | None
    """None where no session has left its telemetry."""
    fill: Fill | None
    no_fill: str
    """Why there is none."""
    made_at: str
    """RFC 3339, UTC."""

    @property
    def session(self) -> SessionTold | None:
        """The session whose course is shown."""
        return telling(self.sessions) if self.sessions else None


# -- the headline ---------------------------------------------------------------------------------------------------


def headline(found: Found) -> Iterator[Html]:
    """What, when, how it went, on some lines and in some figures."""
    status = found.status
    whose = f", made by {status.made_by}" if status.made_by else ""
    yield html.paragraph(html.code(str(status.folder)), f"{whose}: {STATES[status.state]}.")
    yield html.paragraph(html.el("strong", _balance(found)))
    if facts := [*_facts(found)]:
        yield html.facts(facts)
    yield html.paragraph(_when(found), note=True)


def _balance(found: Found) -> str:
    """The books: of the last session that ended, else of what is committed."""
    told, status = found.summary, found.status
    if told and status.state not in ("running", "killed"):
        books = Summary(
            told.finished, told.input, told.ok, told.failures, told.duplicates, told.unfinished, 0, 0, 0.0, told.bytes
        )
        return books.balance
    terms = [f"{count:,} {outcome}" for outcome, count in status.outcomes.items()]
    waiting = f"; {status.unfinished:,} were under way at the last commit" if status.unfinished else ""
    return f"{status.done:,} done = {' + '.join(terms) or '0'}{waiting}"


def _facts(found: Found) -> Iterator[tuple[str, str]]:
    session, summary = found.session, found.summary
    if session is None:
        if summary:
            yield "took", duration(summary.seconds)
            yield "pages a second", short(summary.pages_per_s)
            yield "received", size(summary.bytes)
        return
    pages = max(session.pages, 1)
    yield "pages a second", short(session.pages / session.seconds if session.seconds else 0.0)
    yield "took", duration(session.seconds)
    yield "pages", f"{session.pages:,}"
    yield "received", size(session.series.bytes[-1] if session.series.bytes else 0)
    if session.first_row_s is not None:
        yield "first row after", duration(session.first_row_s)
    if session.cpu_s is not None:
        yield "CPU a page", duration(session.cpu_s / pages)
        yield "cores used", f"{session.cpu_s / session.seconds if session.seconds else 0.0:.2f} of {session.cores}"
    if session.peak_rss is not None:
        yield "memory at most", size(session.peak_rss)
    yield "model", session.model
    yield "concurrency", f"{session.concurrency:,}"
    yield "processes", f"{session.processes:,}"


def _when(found: Found) -> str:
    session = found.session
    if session is None:
        return f"Begun {moment(found.status.first_at)}, last written {moment(found.status.written_at)}."
    lock = "" if session.gil else ", free-threaded"
    cores = f"{session.cores} core{'' if session.cores == 1 else 's'}"
    ended = ", the last one that came to its end" if found.status.state in ("running", "killed") else ""
    where = f"on Python {session.python}{lock} with {cores}"
    return f"These figures are of the session that began {moment(session.started)}{ended}, {where}."


def moment(at: str) -> str:
    """A moment of RFC 3339 for people; as it is, where it is none.

    >>> moment("2026-11-22T23:05:23Z"), moment("?")
    ('2026-11-22 23:05:23 UTC', '?')
    """
    try:
        return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return at


def lacking(found: Found) -> Section:
    """In place of the sections about a session, where no session has left its telemetry."""
    why = (
        "is written when a session ends, and this one goes on"
        if found.status.state == "running"
        else "is missing: the last session was killed, or an older version of scraper ran it"
    )
    what = "What limited it, its course over time, latency, hosts, and its slowest and largest pages"
    return Section(
        "What cannot be told", [html.paragraph(f"{what} are told by ", html.code("telemetry.json"), f", which {why}.")]
    )


# -- outcomes, fields, sessions -------------------------------------------------------------------------------------


def outcomes(found: Found) -> Section:
    """How the URLs ended, with the most frequent reason for each kind of failure."""
    status = found.status
    if not status.done:
        return Section("Outcomes", [html.paragraph("No URL has an outcome yet.")])
    rows = [_outcome_row(status, outcome, count) for outcome, count in status.outcomes.items()]
    head = ["outcome", "URLs", "share", "most often", "hosts", "what to do"]
    return Section("Outcomes", [html.table("How the URLs of the run ended", head, rows)])


def _outcome_row(status: Status, outcome: str, count: int) -> list[html.Child]:
    start: list[html.Child] = [outcome, count, Num(share(count / status.done))]
    if outcome in (OK, DUPLICATE):
        return [*start, "", "", "the same page as another" if outcome == DUPLICATE else ""]
    reasons = status.reasons.get(outcome)
    message = reasons.messages.top(1)[0][0] if reasons and reasons.messages.top(1) else ""
    hosts = reasons.hosts.top(SHOWN_HOSTS) if reasons else []
    advice, option = advice_on(outcome)
    again = html.joined("; again: ", html.whole(html.code(option))) if option and not status.made_by else None
    return [*start, message, ", ".join(f"{host} ({n:,})" for host, n in hosts), html.joined(advice, again)]


def fields(found: Found) -> Section:
    """How well the rows' fields are filled."""
    fill = found.fill
    if fill is None:
        return Section("Fields", [html.paragraph(found.no_fill)])
    if not fill.rows:
        return Section("Fields", [html.paragraph("There are no rows.")])
    rows: list[list[html.Child]] = [
        [
            html.code(name),
            html.meter(field.filled / fill.rows, share(field.filled / fill.rows)),
            field.filled,
            Num(f"{field.distinct:,}{' or more' if field.has_more else ''}"),
            field.example,
        ]
        for name, field in fill.fields.items()
    ]
    caption = f"How many of the {fill.rows:,} rows have a value in each field"
    return Section(
        "Fields",
        [html.table(caption, ["field", "filled", "rows", "different values", "the first value"], rows), *_notes(fill)],
    )


def _notes(fill: Fill) -> Iterator[Html]:
    empty = [name for name, field in fill.fields.items() if not field.filled]
    if empty:
        names = [part for name in empty for part in (", ", html.code(name))][1:]
        yield html.paragraph(
            "Never filled: ", *names, ". Try a rule with ", html.code("scraper inspect URL -c FILE"), "."
        )
    if fill.left_out:
        yield html.paragraph(f"The rows have more fields: the first {MOST_FIELDS} are told.", note=True)
    if any(field.has_more for field in fill.fields.values()):
        yield html.paragraph(f"Different values are counted up to {MOST_DISTINCT:,}.", note=True)


def sessions(found: Found) -> Section | None:
    """All sessions of the folder that left their telemetry, where there is more than one: the newest first."""
    told = found.sessions or ()
    if len(told) < 2:
        return None
    head = [
        "began",
        "took",
        "pages",
        "failed",
        "pages/s",
        "p95 of a page",
        "model",
        "concurrency",
        "processes",
        "limit",
    ]
    rows = [_session_row(session) for session in reversed(told)]
    return Section("Sessions of this folder", [html.table("The sessions, the newest first", head, rows)])


def _session_row(session: SessionTold) -> list[html.Child]:
    p95 = quantile(session.phases.page, 0.95)
    return [
        html.whole(moment(session.started)),
        Num(duration(session.seconds)),
        session.pages,
        session.failed,
        Num(short(session.pages / session.seconds if session.seconds else 0.0)),
        None if p95 is None else Num(duration(p95)),
        session.model,
        session.concurrency,
        session.processes,
        limit_words(session.limits[0].name) if session.limits else "",
    ]
