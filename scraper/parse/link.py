"""One parse worker as the pool sees it: its stream, the pages it holds, and what may be said of them when it dies."""

import asyncio
import pickle
from dataclasses import dataclass, field
from typing import Protocol, cast

from scraper.parse import wire
from scraper.parse.process import Process, how_it_ended
from scraper.records import Page, Parsed

Numbered = tuple[int, Page]
"""A page under the number its owner knows it by."""


class Owner(Protocol):
    """Who is told what a worker does; `pool.ParsePool`."""

    def on_worker_results(self, worker: "Worker", results: wire.Results) -> None:
        """It has sent results."""

    def on_worker_lost(self, worker: "Worker") -> None:
        """Its stream has ended."""


@dataclass(eq=False, slots=True)
class Worker(asyncio.Protocol):
    """One worker process as the pool sees it: its stream and the pages it holds.

    asyncio puts a protocol's repr into its error messages: no page's body may stand there.
    """

    process: Process
    owner: Owner = field(repr=False)
    in_hand: dict[int, Page] = field(default_factory=dict, repr=False)
    load: int = 0
    """Bytes in hand; an empty page counts as one."""
    deadline: float = float("inf")
    alone: bool = False
    """It holds one suspect, and gets nothing else until that is back."""
    is_ready: bool = False
    was_told_to_leave: bool = False
    is_overdue: bool = False
    """It was killed for its time; what it sent before may still arrive."""
    was_dead: bool = False
    """At the watch's last look."""
    _reader: wire.ResultReader = field(default_factory=wire.ResultReader, repr=False)
    _transport: asyncio.Transport | None = field(default=None, repr=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: the stream is there."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: some bytes of results, cut anywhere."""
        for results in self._reader.feed(data):
            self.owner.on_worker_results(self, results)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: the stream has ended, on either side."""
        self.owner.on_worker_lost(self)

    def begin(self, setup: wire.Setup) -> None:
        """Send what it needs before its first page."""
        data = pickle.dumps(setup)
        self.write([wire.LENGTH.pack(len(data)) + data])

    def has_room(self, most: float) -> bool:
        """Whether it can be sent pages, where it may hold `most` bytes. A process may be gone before its stream is."""
        return self.is_ready and not self.alone and not self.is_overdue and self.load <= most and self.is_alive()

    def is_alive(self) -> bool:
        """Whether its process runs; of a dead one, take the exit status."""
        return self.process.poll() is None

    def take(self, batch: list[Numbered], deadline: float) -> None:
        """Note pages that are about to be sent."""
        if not self.in_hand:
            self.deadline = deadline
        self.in_hand.update(batch)
        self.load += sum(len(page.body) + 1 for _, page in batch)

    def write(self, pieces: list[bytes]) -> None:
        """Send bytes; what is sent to a dead worker is lost, and its pages are taken back when that is noticed."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines(pieces)

    def settle(self, results: wire.Results, deadline: float) -> None:
        """Take the pages of these results out of its hand; the next one has until `deadline`."""
        self.is_ready = True
        self.deadline = deadline
        self.was_told_to_leave = results.leaving
        for result in results.results:
            self.load -= len(self.in_hand.pop(result.id).body) + 1
        if not self.in_hand:
            self.alone = False

    def look_after(self, now: float, *, late_s: float) -> None:
        """Kill it where a page holds it past the deadline; `late_s` of the time since the last look do not count."""
        self.deadline += late_s
        if self.in_hand and now >= self.deadline:
            self.is_overdue = True
            self.process.kill()
        if self.was_dead:  # and its stream is still open: something that it started holds the other end
            self.close()
        self.was_dead = not self.is_alive()

    def verdict(self, timeout_s: float) -> Parsed:
        """The outcome of the page that was alone with this worker when it died."""
        if self.is_overdue:
            return Parsed(None, "parse_timeout", f"the page took longer than parse.timeout ({timeout_s:g} s)")
        return Parsed(None, "parse_crash", f"the parse worker died on this page ({self.how_it_ended()})")

    def how_it_ended(self) -> str:
        """The process's end in words."""
        return how_it_ended(self.process)

    def leave(self, *, at_once: bool) -> None:
        """Close the stream: an idle worker ends at that. One that starts or is in the midst of a page is killed."""
        self.close()
        if at_once or self.in_hand or not self.is_ready:
            self.process.kill()

    def close(self) -> None:
        """Drop the stream, with what was not yet sent."""
        if self._transport is not None:
            self._transport.abort()
