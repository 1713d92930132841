"""How each URL ends: its outcome is entered in the ledger, goes to the writer, and holds its bytes until it is durable.

    page parsed ─► row, or a duplicate of another page, or unchanged ─┐
    given up ────► failure, or the old row stands ────────────────────┴─► ledger, output ─► durable ─► bytes free

It belongs to the loop's thread. What an outcome is was decided before; here it becomes final, once.
"""

from datetime import UTC, datetime

from scraper.backlog import Backlog
from scraper.ledger import DUPLICATE, OK, UNCHANGED, Ledger
from scraper.parts import Hold, InHand, Output
from scraper.records import Failure, Fault, Mark, Parsed, Target
from scraper.urls.canonical import fingerprint
from scraper.urls.distinct import Distinct
from scraper.write.encode import failure_line
from scraper.write.writer import Entry

GONE = frozenset({404, 410})
"""Answers that say that a page is no more; any other failure leaves the row that an earlier session wrote."""


class Settlement:
    """Makes outcomes final, and counts the bytes that wait for a commit."""

    def __init__(self, ledger: Ledger, output: Output, backlog: Backlog, distinct: Distinct | None) -> None:
        """`distinct`: None where pages are told apart by their listed URLs alone."""
        self._ledger = ledger
        self._output = output
        self._backlog = backlog
        self._distinct = distinct
        self._unwritten: dict[int, Hold] = {}
        self.unwritten_bytes = 0

    def page(self, page: InHand, parsed: Parsed) -> Entry | None:
        """The entry of a page that was parsed, for the output; None where nothing new is to be written."""
        target = page.job.target
        final = fingerprint(page.job.url) if self._distinct is not None else 0
        known = target.known
        if known is not None and parsed.kind is None and known.content == parsed.content:
            self._stand(target, UNCHANGED)
            page.hold.release()
            return None
        if parsed.kind is not None:
            return self._failed_page(page, parsed)
        self._backlog.carry(target, -1)
        if self._distinct is not None and not self._distinct.add(final, parsed.content):
            self._ledger.settle(DUPLICATE)
            page.hold.release()
            return Entry(target.key, DUPLICATE, b"", again=_again(target))
        self._ledger.settle(OK)
        row = parsed.row or b""
        self._hold(target.key, page.hold, len(row))
        return Entry(target.key, OK, row, Mark(page.etag, page.modified, parsed.content, final), _again(target))

    def unchanged(self, target: Target) -> None:
        """The server says that the row of an earlier session still holds."""
        self._stand(target, UNCHANGED)

    def fail(self, target: Target, fault: Fault, attempts: int) -> None:
        """End a URL that gave no page."""
        if target.known is not None and fault.status not in GONE:
            self._stand(target, fault.kind)
            return
        self._backlog.carry(target, -1)
        failure = failure_of(target.url, target.line, fault, attempts)
        self._put_failure(Entry(target.key, fault.kind, failure_line(failure), again=_again(target)))

    def fail_line(self, key: int, failure: Failure) -> None:
        """End a record of the input that is no URL."""
        self._put_failure(Entry(key, failure.error, failure_line(failure)))

    def durable(self, entries: list[Entry]) -> None:
        """The writer has committed these: their bytes are free."""
        self._ledger.durable += len(entries)
        self._backlog.update()
        for entry in entries:
            if hold := self._unwritten.pop(entry.key, None):
                self.unwritten_bytes -= hold.held
                hold.release()

    def _failed_page(self, page: InHand, parsed: Parsed) -> Entry | None:
        """A page that is whole and gives no row, though a store keeps something of it."""
        target, kept = page.job.target, parsed.row or b""
        fault = Fault(parsed.kind or "parse_crash", parsed.message, page.status)
        if target.known is not None:
            page.hold.release()
            self._stand(target, fault.kind)
            return None
        self._backlog.carry(target, -1)
        self._ledger.settle(fault.kind)
        self._hold(target.key, page.hold, len(kept))
        line = failure_line(failure_of(target.url, target.line, fault, page.job.attempt))
        return Entry(target.key, fault.kind, line, again=_again(target), kept=kept)

    def _hold(self, key: int, hold: Hold, size: int) -> None:
        hold.shrink_to(size)
        self._unwritten[key] = hold
        self.unwritten_bytes += hold.held

    def _stand(self, target: Target, why: str) -> None:
        """The row of an earlier session stays the URL's outcome."""
        self._backlog.carry(target, -1)
        self._ledger.stand(why)

    def _put_failure(self, entry: Entry) -> None:
        self._ledger.settle(entry.outcome)
        self._output.put([entry])
        self._backlog.on_failure()


def failure_of(url: str, line: int | None, fault: Fault, attempts: int) -> Failure:
    """The line of failures.jsonl for a fault, as of now."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Failure(url, fault.kind, fault.message, fault.status, attempts, at, line)


def _again(target: Target) -> str | None:
    return target.url if target.again else None
