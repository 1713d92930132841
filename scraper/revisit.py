"""Which URLs that have an outcome from an earlier session are taken up again, and what their pages were known by."""

from collections.abc import Collection, Iterable
from contextlib import closing
from typing import Literal, Self

from scraper.journal import Commit, unpack_keys
from scraper.ledger import OK
from scraper.records import Mark
from scraper.urls.distinct import Distinct

NEVER_RETRIED = ("invalid_url", "unsupported_scheme", "duplicate")
"""Outcomes that another try cannot change: the line in the list must be mended."""


class RetryFailed:
    """URLs that failed are tried again."""

    def __init__(self, kinds: Collection[str] | None) -> None:
        """`kinds`: of failures, None for all that another try may change."""
        self._kinds = None if kinds is None else frozenset(kinds)

    def takes(self, outcome: str) -> bool:
        """Whether URLs with this outcome are taken up."""
        if self._kinds is None:
            return outcome not in (OK, *NEVER_RETRIED)
        return outcome in self._kinds

    def mark_of(self, key: int) -> Mark:
        """Nothing is known of a page that never came."""
        raise LookupError(f"no mark of {key}: it has no row")


class Refresh:
    """URLs that have a row are fetched anew, and their servers asked whether the page has changed.

    The marks stand in a temporary database that SQLite keeps on the disk and removes: some 100 bytes a URL are too many
    for memory, and 15 us are little for a request. Use as a context manager.
    """

    def __init__(self) -> None:
        """No mark yet."""
        import sqlite3  # for --refresh alone

        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._base.execute("CREATE TABLE marks (key INTEGER PRIMARY KEY, etag TEXT, modified TEXT, content INTEGER)")

    def __enter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove the marks."""
        self._base.close()

    def read(self, commits: Iterable[Commit]) -> None:
        """Take the marks of all rows of a journal."""
        self._base.execute("BEGIN")
        for commit in commits:
            self._put(commit.outcomes.get(OK), commit.marks)
            self._put(commit.again.get(OK), commit.again_marks)
        self._base.execute("COMMIT")

    def _put(self, packed: str | None, marks: list[Mark]) -> None:
        if packed and marks:
            rows = [
                (_signed(key), mark.etag, mark.modified, _signed(mark.content))
                for key, mark in zip(unpack_keys(packed), marks, strict=True)
            ]
            self._base.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", rows)

    def takes(self, outcome: str) -> bool:
        """Whether URLs with this outcome are taken up."""
        return outcome == OK

    def mark_of(self, key: int) -> Mark:
        """What the page of a URL was known by; an empty one where the journal does not tell."""
        query = "SELECT etag, modified, content FROM marks WHERE key = ?"
        with closing(self._base.execute(query, (_signed(key),))) as found:
            row = found.fetchone()
        return Mark(row[0], row[1], row[2] % 2**64) if row else Mark()


def distinct_of(by: Literal["final_url", "content"], commits: Iterable[Commit]) -> Distinct:
    """The pages that have a row already, for `write.dedupe`."""
    distinct = Distinct(by)
    for commit in commits:
        for mark in (*commit.marks, *commit.again_marks):
            distinct.add(mark.final, mark.content)
    return distinct


def _signed(number: int) -> int:
    """The 64 bits as SQLite's integers have them."""
    return number - 2**64 if number >= 2**63 else number
