"""The life of a shard: an engine on a loop of its own, whose outlet is the stream to the run."""

import asyncio
import signal
import socket
from contextlib import suppress
from typing import Any, cast

import msgspec

from scraper import loop as event_loop
from scraper.engine import LocalEngine
from scraper.errors import first_of
from scraper.models.blueprint import Blueprint, engine_parts
from scraper.models.cell import Cell, TellingClock
from scraper.models.fetchers import keeper_of, loop_fetcher
from scraper.models.frames import FrameReader, frame
from scraper.models.inline import InlineParser
from scraper.models.limits import limit_memory_beyond_now
from scraper.models.shards import Ended, Enter, Free, Stop, Told, shard_of, sites_of
from scraper.openfiles import allow_open_files
from scraper.parse.heap import keep_freed
from scraper.parse.worker import spare_the_collector
from scraper.parts import Hold, InHand
from scraper.records import Fault, Job, Parsed, Target
from scraper.stats import Waits

TELL_EVERY_S = 0.2
"""The state is told so often even where nothing happens."""


class ShardSetup(msgspec.Struct, frozen=True):
    """What a shard is told first."""

    blueprint: Blueprint
    number: int
    shards: int
    cell: int
    """The file descriptor of its cell."""


def main(fd: int) -> None:
    """Serve the run at the other end of the socket `fd`, until it closes."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are for the run, which then closes the stream
    with socket.socket(fileno=fd) as sock:
        event_loop.run(_serve(sock))


async def _serve(sock: socket.socket) -> None:
    stream = Stream()
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: stream, sock=sock.dup())
    setup: ShardSetup | None = await stream.records.get()
    if setup is None:  # the run has ended before it said what to do
        return
    stream.shard = shard = Shard(setup, stream)
    try:
        await shard.live()
    except Exception as exc:  # the border of the process: the run is told, and ends
        error = first_of(exc) if isinstance(exc, BaseExceptionGroup) else exc
        stream.send(error if _travels(error) else RuntimeError(repr(error)))
        await stream.drained()


def _travels(exc: BaseException) -> bool:
    try:
        frame(exc)
    except Exception:
        return False
    return True


class Stream(asyncio.Protocol):
    """The stream to the run. Records go to the shard once there is one."""

    def __init__(self) -> None:
        """Not yet connected."""
        self.records: asyncio.Queue[Any] = asyncio.Queue()
        self.shard: Shard | None = None
        self.is_lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        for record in self._reader.feed(data):
            if self.shard is None:
                self.records.put_nowait(record)
            else:
                self.shard.take(record)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: the run is gone."""
        self.records.put_nowait(None)
        if not self.is_lost.done():
            self.is_lost.set_result(None)

    def send(self, record: object) -> None:
        """Send a record to the run."""
        if self._transport is not None:
            self._transport.write(frame(record))

    async def drained(self) -> None:
        """Wait until all is sent."""
        if self._transport is not None:
            self._transport.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.is_lost, 2.0)


class Shard:
    """`parts.Outlet` of an engine, whose words travel to the run, many at once."""

    def __init__(self, setup: ShardSetup, stream: Stream) -> None:
        """Nothing is started before `live`."""
        self._setup = setup
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        blueprint = setup.blueprint
        self._site_of = sites_of(shares_cookies=blueprint.config.fetch.cookies)
        clock = TellingClock(Cell(setup.cell), blueprint.config.parse.timeout)
        parts = engine_parts(
            blueprint,
            loop_fetcher(blueprint),
            lambda on_parsed: InlineParser(blueprint.setup, on_parsed, clock),
            keeper=keeper_of(blueprint),
            shards=setup.shards,
            elsewhere=self._elsewhere if setup.shards > 1 else None,
        )
        allow_open_files(parts.concurrency)
        self._engine = LocalEngine(parts, self)
        self._holds: dict[int, Hold] = {}
        self._numbers = 0
        self._is_stopping = False
        self._is_told = False
        self._forget()

    async def live(self) -> None:
        """Work until the run closes the stream."""
        async with self._engine:
            spare_the_collector()
            keep_freed()
            limit_memory_beyond_now(self._setup.blueprint.config.parse.max_memory)
            self._tell_regularly()
            while not self._stream.records.empty():
                if (record := self._stream.records.get_nowait()) is not None:
                    self.take(record)
            await self._stream.is_lost
            self._engine.close()

    def take(self, record: Enter | Free | Stop) -> None:
        """Do what the run says."""
        match record:
            case Enter():
                for target in record.targets:
                    self._engine.enter(target)
                for job, wait_s in record.jobs:
                    self._engine.enter_job(job, wait_s)
            case Free():
                for number in record.numbers:
                    self._holds.pop(number).release()
            case Stop():
                self._is_stopping = True
                self._engine.stop()
                self._tell_soon()

    # -- what the engine tells (parts.Outlet) --------------------------------------------------------------------

    def parsed(self, pages: list[tuple[InHand, Parsed]]) -> None:
        """Pages gave a row."""
        for page, parsed in pages:
            self._numbers += 1
            page.hold.shrink_to(len(parsed.row or b""))
            self._holds[self._numbers] = page.hold
            job = page.job
            self._ended.append(
                Ended(
                    self._numbers,
                    job.target.key,
                    job.url,
                    job.attempt,
                    page.status,
                    page.etag,
                    page.modified,
                    page.size,
                    page.head_s,
                    page.took_s,
                    page.parse_s,
                    page.hold.held,
                    parsed,
                )
            )
        self._tell_soon()

    def failed(self, target: Target, fault: Fault, attempts: int) -> None:
        """A URL gave no page."""
        self._failed.append((target.key, fault, attempts))
        self._tell_soon()

    def unchanged(self, target: Target) -> None:
        """The row of an earlier session still holds."""
        self._unchanged.append(target.key)
        self._tell_soon()

    def short_of_memory(self) -> None:
        """Only the run can have rows committed."""
        self._is_short = True
        self._tell_soon()

    def moved(self) -> None:
        """The run wants to know when a shard that stops is idle."""
        if self._is_stopping:
            self._tell_soon()

    def _elsewhere(self, job: Job, wait_s: float) -> bool:
        if shard_of(self._site_of(job.host), self._setup.shards) == self._setup.number:
            return False
        self._others.append((job, wait_s))
        self._tell_soon()
        return True

    # -- the telling ----------------------------------------------------------------------------------------------

    def _tell_soon(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._loop.call_soon(self._tell)

    def _tell(self, waits: Waits | None = None) -> None:
        self._is_told = False
        told = Told(
            self._ended,
            self._failed,
            self._unchanged,
            self._others,
            self._engine.gauges(),
            self._is_stopping and self._engine.is_idle,
            self._is_short,
            waits,
        )
        self._forget()
        self._stream.send(told)

    def _forget(self) -> None:
        self._ended: list[Ended] = []
        self._failed: list[tuple[int, Fault, int]] = []
        self._unchanged: list[int] = []
        self._others: list[tuple[Job, float]] = []
        self._is_short = False

    def _tell_regularly(self) -> None:
        self._tell(self._engine.waits())
        self._loop.call_later(TELL_EVERY_S, self._tell_regularly)
