"""The writer thread: the only user of the output's files and databases and of the journal. It groups outcomes.

    put (loop) ─► queue ─► Sink.write ─► Sink.commit ─► on_commit (loop)

A URL counts as done only when `on_commit` names it. The queue needs no bound of its own: what stands in it holds
bytes of the run's budget until then.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec

from scraper.errors import WriteError
from scraper.histogram import Histogram
from scraper.records import Mark
from scraper.stopwatch import Stopwatch


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One outcome on its way to the disk."""

    key: int
    outcome: str
    """ledger.OK or the kind of failure."""
    line: bytes
    """The encoded row or failure."""
    mark: Mark | None = None
    """What a row's page was known by."""
    again: str | None = None
    """The URL as written, where this outcome takes the place of an earlier one."""
    kept: bytes = b""
    """Of a page without a row: what the row stores keep of it, such as an archive's records."""


class Sink(Protocol):
    """Where outcomes go; `outputs.Outputs` is one."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Append outcomes."""

    def commit(self, entries: Sequence[Entry]) -> None:
        """Make them durable, and with them the fact that they are done: all that came since the last commit."""

    def finish(self) -> None:
        """Nothing further comes: make of what was committed what users read."""

    def close(self) -> None:
        """Release everything."""


class Writer:
    """Persists entries in a thread of its own. Use as a context manager; leaving it commits what was put."""

    def __init__(
        self,
        sink: Sink,
        *,
        commit_every_s: float,
        commit_bytes: int,
        on_commit: Callable[[list[Entry]], None],
        on_error: Callable[[WriteError], None],
    ) -> None:
        """`on_commit` and `on_error` are called on the writer's thread.

        A group is committed when its oldest entry is `commit_every_s` old or its lines reach `commit_bytes`.
        After `on_error` nothing more is written; entries are taken and dropped, so that the run can wind up.
        """
        self._sink = sink
        self._commit_every_s = commit_every_s
        self._commit_bytes = commit_bytes
        self._on_commit = on_commit
        self._on_error = on_error
        self._queue: SimpleQueue[tuple[float, list[Entry]] | None] = SimpleQueue()
        self._is_hurried = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._group: list[Entry] = []
        self._group_bytes = 0
        self._due = float("inf")
        self.error: WriteError | None = None
        """What ended the writing; set for good."""
        self.written = Histogram()
        """Seconds from `put` until a row or failure was durable. The writer's thread changes it until `close`."""
        self._waiting: list[tuple[float, int]] = []
        self._busy = Stopwatch()

    def __enter__(self) -> "Writer":
        """Start the thread."""
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Commit what was put, end the thread, close the files."""
        self.close()

    def start(self) -> None:
        """Start the thread, for an owner that cannot use a `with` block."""
        self._thread.start()

    def close(self) -> None:
        """Commit what was put, end the thread, close the files. Blocks until that is done."""
        self._queue.put(None)
        self._thread.join()
        self._sink.close()

    def put(self, entries: list[Entry]) -> None:
        """Hand over outcomes; returns at once."""
        self._queue.put((time.monotonic(), entries))

    def commit_soon(self) -> None:
        """Do not wait for more: somebody waits for the bytes that uncommitted entries hold. Returns at once."""
        if not self._is_hurried:
            self._is_hurried = True
            self._queue.put((time.monotonic(), []))

    @property
    def busy_s(self) -> float:
        """Seconds spent writing and committing, for the utilisation figures."""
        return self._busy.seconds

    def _run(self) -> None:
        while True:
            try:
                message = self._queue.get(timeout=self._seconds_left())
            except Empty:
                self._guarded(self._commit)
                continue
            if message is None:
                self._guarded(self._finish)
                return
            put_at, entries = message
            if self.error is None:
                self._waiting.append((put_at, len(entries)))
            self._guarded(self._write, entries)
            if self._is_hurried or self._group_bytes >= self._commit_bytes or self._seconds_left() == 0.0:
                self._is_hurried = False
                self._guarded(self._commit)

    def _seconds_left(self) -> float | None:
        if self._due == float("inf"):
            return None
        return max(0.0, self._due - time.monotonic())

    def _guarded(self, step: Callable[..., None], *args: list[Entry]) -> None:
        """Run a step. The stage's border: whatever goes wrong ends the writing, and the run is told."""
        if self.error is not None:
            return
        with self._busy:
            try:
                step(*args)
            except Exception as exc:
                self.error = _write_error(exc)
                self._due = float("inf")
                self._on_error(self.error)

    def _write(self, entries: list[Entry]) -> None:
        self._sink.write(entries)
        if entries and not self._group:
            self._due = time.monotonic() + self._commit_every_s
        self._group += entries
        self._group_bytes += sum(len(entry.line) + len(entry.kept) for entry in entries)

    def _commit(self) -> None:
        group, self._group, self._group_bytes, self._due = self._group, [], 0, float("inf")
        if not group:
            return
        self._sink.commit(group)
        self._note_waits()
        self._on_commit(group)

    def _note_waits(self) -> None:
        now = time.monotonic()
        for put_at, n in self._waiting:
            self.written.add_same(now - put_at, n)
        self._waiting.clear()

    def _finish(self) -> None:
        self._commit()
        self._sink.finish()


def _write_error(exc: Exception) -> WriteError:
    if isinstance(exc, WriteError):
        return exc
    what = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, OSError) and exc.strerror:
        what = f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror
    error = WriteError(
        f"writing stopped: {what}. What was committed is safe: mend the cause and give the same command again to resume"
    )
    error.__cause__ = exc
    return error
