"""`scraper status DIR`: what of a run is done, failing and waiting, and why."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scraper.cli.speak import drawn, give

if TYPE_CHECKING:
    from scraper.status import Status, Store

SHOWN_REASONS = 3
"""Messages, and hosts, of a kind of failure."""
WORDS = {
    "running": "running, process {pid}",
    "finished": "finished: every record has its outcome",
    "limited": "finished up to --limit: the same command takes up more",
    "interrupted": "interrupted: the same command resumes",
    "killed": "ended without a word, killed or by a crash: the same command resumes",
}
STYLES = {"running": "green", "finished": "green", "interrupted": "yellow", "killed": "red"}

Line = tuple[str, str, str]
"""A label, "" for a line that belongs to the one above; a text; a style."""


def status(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a run.")] = Path("output"),
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what of a run is done, failing and waiting, and why."""
    from scraper.status import status_of

    found = status_of(folder)
    if as_json:
        import msgspec

        give(msgspec.json.format(msgspec.json.encode(status_json(found)), indent=2).decode() + "\n")
    elif sys.stdout is not None and sys.stdout.isatty():
        give(_picture(found))
    else:
        give("".join(f"{label:<10}{text}\n" for label, text, _ in status_lines(found)))


def status_lines(found: "Status") -> Iterator[Line]:
    """The whole as lines, in the order in which a user asks."""
    yield "run", WORDS[found.state].format(pid=found.pid), STYLES.get(found.state, "")
    yield "", _times(found), "dim"
    if found.made_by:
        yield "", f"made by {found.made_by}", "dim"
    yield "done", _done(found), "bold"
    yield from _failed(found)
    yield from _waiting(found)
    yield from _stores(found)


def _times(found: "Status") -> str:
    begun = f"begun {_moment(found.first_at)}"
    if found.sessions > 1:
        begun += f", session {found.sessions:,} {_moment(found.last_at)}"
    return f"{begun}; last written {_moment(found.written_at)} (UTC)"


def _done(found: "Status") -> str:
    from scraper.ledger import DUPLICATE, OK

    failed, same = sum(found.failures.values()), found.outcomes.get(DUPLICATE, 0)
    terms = [f"{found.outcomes.get(OK, 0):,} ok", *([f"{failed:,} failed"] if failed else [])]
    terms += [f"{same:,} the same page as another"] if same else []
    return f"{found.done:,} = {' + '.join(terms)}"


def _failed(found: "Status") -> Iterator[Line]:
    from scraper.reasons import advice_on

    label = "failed"
    for kind, count in found.failures.items():
        yield label, f"{count:,} {kind}", "yellow"
        label = ""
        if reasons := found.reasons.get(kind):
            yield from (("", f"  {n:,}: {text}", "") for text, n in reasons.messages.top(SHOWN_REASONS))
            if hosts := ", ".join(f"{host} ({n:,})" for host, n in reasons.hosts.top(SHOWN_REASONS)):
                yield "", f"  at {hosts}", ""
        advice, option = advice_on(kind)
        again = f"; again: scraper run ... {option}" if option and not found.made_by else ""
        yield "", f"  {advice}{again}", "cyan"


def _waiting(found: "Status") -> Iterator[Line]:
    if not found.unfinished:
        yield "waiting", "nothing that was read", ""
        return
    at = found.waiting
    yield "waiting", f"{found.unfinished:,} of {at.read:,} records read", "bold"
    parts = {"for their turn": at.queued, "in flight": at.in_flight, "being parsed": at.parsing}
    if any(parts.values()):
        yield "", "at the last commit: " + ", ".join(f"{n:,} {why}" for why, n in parts.items() if n), ""
    if found.state != "running":
        yield "", "the same command takes them up", "cyan"


def _stores(found: "Status") -> Iterator[Line]:
    label = "rows"
    for store in found.stores:
        yield label, _store(store), ""
        label = ""
        if store.problem:
            yield "", f"  {store.problem}", "red"


def _store(store: "Store") -> str:
    rows = [] if store.rows is None else [_count(store.rows, "row")]
    size = [] if store.bytes is None else [_megabytes(store.bytes)]
    return f"{store.path}: {', '.join([*rows, *size]) or store.format}"


def _megabytes(size: int) -> str:
    """A size in MB, in kB below one.

    >>> _megabytes(999_000), _megabytes(2_500_000)
    ('999.0 kB', '2.5 MB')
    """
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _moment(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}"


def _picture(found: "Status") -> str:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for label, text, style in status_lines(found):
        table.add_row(Text(label, style="dim"), Text(text, style=style, overflow="fold"))
    return drawn(table)


def status_json(found: "Status") -> dict[str, Any]:
    """The same for programs."""
    at = found.waiting
    return {
        "folder": str(found.folder),
        "made_by": found.made_by,
        "state": found.state,
        "pid": found.pid,
        "sessions": found.sessions,
        "first_session": found.first_at,
        "last_session": found.last_at,
        "last_written": found.written_at,
        "done": found.done,
        "outcomes": found.outcomes,
        "failures": [_failure_json(found, kind, count) for kind, count in found.failures.items()],
        "unfinished": found.unfinished,
        "last_commit": {"read": at.read, "queued": at.queued, "in_flight": at.in_flight, "parsing": at.parsing},
        "stores": [
            {"format": it.format, "path": it.path, "rows": it.rows, "bytes": it.bytes, "problem": it.problem}
            for it in found.stores
        ],
        "summary": found.summary,
    }


def _failure_json(found: "Status", kind: str, count: int) -> dict[str, Any]:
    from scraper.reasons import advice_on

    reasons = found.reasons.get(kind)
    messages = reasons.messages.top(SHOWN_REASONS) if reasons else []
    hosts = reasons.hosts.top(SHOWN_REASONS) if reasons else []
    advice, option = advice_on(kind)
    return {
        "error": kind,
        "count": count,
        "messages": [{"message": text, "count": n} for text, n in messages],
        "hosts": [{"host": text, "count": n} for text, n in hosts],
        "advice": advice,
        "option": option,
    }
