"""The pool of parse workers: batches out, results in, and a page that kills its worker costs only itself.

Why not ProcessPoolExecutor: when a worker dies it fails every pending task and cannot name the page that did it, and
one task a page costs as much as parsing a small page. Here each worker has its own socket, and the pool knows what it
holds:

    submit ─► batch (by bytes, by age) ─► backlog ─► worker with room ─► results
                                            ▲             │ dies, or gives nothing for `timeout`
                              suspects ◄────┴─────────────┘
                              one page alone in an idle worker: if that worker dies too, the page is the guilty one

No page is judged before it was tried alone, not even one that was a batch of its own: its worker may have been killed
from outside. Time in which this loop did not run counts for no page: results may have lain unread.

Everything runs on the loop's thread and, but for END_WITHIN_S, never blocks: asyncio's transports read and write both
directions at once, so that a worker which sends while it is sent to cannot dead-lock with its pool.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from scraper import machine
from scraper.auto import Growth, PoolLook
from scraper.errors import ParsePoolError
from scraper.parse import wire
from scraper.parse.link import Numbered, Worker
from scraper.parse.process import reap, spawn_connected
from scraper.records import Page, Parsed

WATCH_EVERY_S = 0.25
BATCH_S = 0.02
"""Work in one batch, as the pages before it took. Of light pages batch_bytes make less; of heavy ones a batch is a page
or two, or at the end of a run one worker would still have a second to do where the others have nothing."""
PACE_MEMORY = 0.9
"""What a message of results leaves of the weight of those before it."""
START_ATTEMPTS = 3
"""So many workers in a row dying before their first page is no page's fault: the run ends."""
START_ADVICE = "lower parse.processes, or raise the limit on open files (ulimit -n) or on processes (ulimit -u)"

OnResults = Callable[[list[tuple[int, Parsed]]], None]


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How the pool works; sizes in bytes, times in seconds."""

    processes: int
    batch_bytes: int
    batch_age_s: float
    timeout_s: float
    """For one page; a worker that gives no result for so long is killed."""
    most_processes: int = 0
    """Up to so many are added while pages wait for them; 0 = none."""


@dataclass(slots=True)
class PoolStats:
    """Figures of the pool's life."""

    busy_s: float = 0.0
    """Sum of the workers' time on pages."""
    batches: int = 0
    restarts: int = 0


class ParsePool:
    """Worker processes that turn pages into parsed rows. Use as an async context manager.

    `on_results` is called on the loop, once for each message of a worker, with (number, Parsed) of every page in it.
    Each submitted page comes back exactly once. Leaving the block ends the workers; pages still in hand are dropped.
    What ends the block from inside comes out in a group: ParsePoolError, or what `on_results` raised.
    """

    def __init__(self, setup: wire.Setup, options: PoolOptions, on_results: OnResults) -> None:
        """Nothing is started before the block is entered."""
        self._setup = setup
        self._options = options
        self._on_results = on_results
        self._workers: list[Worker] = []
        self._gone: list[Worker] = []  # replaced, their processes not yet waited for
        self._batch: list[Numbered] = []
        self._batch_bytes = 0
        self._batch_timer: asyncio.TimerHandle | None = None
        self._backlog: deque[list[Numbered]] = deque()
        self._suspects: deque[Numbered] = deque()
        self._failed_starts = 0
        self._closing = False
        self._tasks = asyncio.TaskGroup()
        self._watch: asyncio.Task[None] | None = None
        self.stats = PoolStats()
        self._recent_s = 0.0
        self._recent_bytes = 0.0
        self._growth = Growth(options.most_processes)
        self._since: list[float] = []
        """When each worker was started; one that takes another's place counts from there."""
        self._ended_at: float | None = None

    async def __aenter__(self) -> "ParsePool":
        """Start the workers; pages may be submitted at once, while they still import."""
        await self._tasks.__aenter__()
        self._watch = self._tasks.create_task(self._watch_workers())
        try:
            for _ in range(self._options.processes):
                self._since.append(self._now())
                await self._start_worker()
        except BaseException as exc:  # a block that is not entered is not left either: end what was started
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: object) -> None:
        """End the workers and wait for them: busy ones are killed, after an error all are."""
        self._closing = True
        self._ended_at = self._now()
        if self._batch_timer is not None:
            self._batch_timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        for worker in self._workers:
            worker.leave(at_once=kind is not None)
        try:
            await self._tasks.__aexit__(kind, exc, None)
        finally:
            await asyncio.to_thread(reap, [worker.process for worker in self._workers + self._gone])

    @property
    def in_hand(self) -> int:
        """Pages sent to workers and not yet back."""
        return sum(len(worker.in_hand) for worker in self._workers)

    @property
    def waiting(self) -> int:
        """Pages not yet sent to a worker."""
        return len(self._batch) + sum(map(len, self._backlog)) + len(self._suspects)

    @property
    def size(self) -> int:
        """How many workers there are, those that are being replaced included."""
        return len(self._since)

    @property
    def busy_share(self) -> float:
        """The share of the workers' time that went to pages, 0.0 to 1.0."""
        until = self._now() if self._ended_at is None else self._ended_at
        possible_s = sum(until - since for since in self._since)
        return min(self.stats.busy_s / possible_s, 1.0) if possible_s > 0 else 0.0

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers, in no order."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, number: int, page: Page) -> None:
        """Take a page under a number of the caller's choice; returns at once. The caller bounds the bytes in flight."""
        self._batch.append((number, page))
        self._batch_bytes += len(page.body)
        if self._batch_bytes >= self._most_bytes():
            self._flush()
        elif self._batch_timer is None:
            loop = asyncio.get_running_loop()
            self._batch_timer = loop.call_later(self._options.batch_age_s, self._flush)

    def _flush(self) -> None:
        if self._batch_timer is not None:
            self._batch_timer.cancel()
            self._batch_timer = None
        if self._batch:
            self._backlog.append(self._batch)
            self._batch, self._batch_bytes = [], 0
            self._dispatch()

    def _dispatch(self) -> None:
        """Give work to every worker with room. While there are suspects, only idle workers get any, suspects first."""
        while worker := self._with_room():
            if self._suspects:
                self._send(worker, [self._suspects.popleft()], alone=True)
            elif self._backlog:
                self._send(worker, self._backlog.popleft(), alone=False)
            else:
                return

    def _with_room(self) -> "Worker | None":
        most = 0 if self._suspects else self._most_bytes()
        free = [worker for worker in self._workers if worker.has_room(most)]
        return min(free, key=lambda worker: worker.load, default=None)

    def _most_bytes(self) -> float:
        """How large a batch should be: batch_bytes, or less where that many bytes take longer than BATCH_S."""
        if self._recent_s * self._options.batch_bytes <= BATCH_S * self._recent_bytes:
            return self._options.batch_bytes
        return BATCH_S * self._recent_bytes / self._recent_s

    def _note_pace(self, seconds: float, n: int) -> None:
        self._recent_s = PACE_MEMORY * self._recent_s + seconds
        self._recent_bytes = PACE_MEMORY * self._recent_bytes + n

    def _send(self, worker: "Worker", batch: list[Numbered], *, alone: bool) -> None:
        try:
            frames = wire.batch_frames(batch)
        except wire.UNSENDABLE:
            self._sort_out(batch)
            return
        self.stats.batches += 1
        worker.alone = alone
        worker.take(batch, self._now() + self._options.timeout_s)
        worker.write(frames)

    def _sort_out(self, batch: list[Numbered]) -> None:
        """Settle the pages of a batch that no frame can hold; the others go back to the head of the backlog."""
        complaints = {number: wire.why_unsendable(number, page) for number, page in batch}
        good = [(number, page) for number, page in batch if complaints[number] is None]
        if good:
            self._backlog.appendleft(good)
        self._report([(number, Parsed(None, "parse_crash", why)) for number, why in complaints.items() if why])

    def _report(self, results: list[tuple[int, Parsed]]) -> None:
        """Hand results on. An error of the caller's own function ends the block: it is no worker's and no page's."""
        try:
            self._on_results(results)
        except Exception as exc:
            self._fail(exc)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _start_worker(self) -> None:
        if self._closing:
            return
        try:
            process, ours = spawn_connected()
        except OSError as exc:
            raise ParsePoolError(f"cannot start a parse worker: {exc.strerror or exc}; {START_ADVICE}") from exc
        worker = Worker(process, self)
        self._workers.append(worker)
        await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=ours)
        worker.begin(self._setup)

    def on_worker_results(self, worker: "Worker", results: wire.Results) -> None:
        """A worker reports (called by its protocol)."""
        if results.broken:
            self._fail(ParsePoolError(f"a parse worker could not start: {results.broken}"))
            return
        self.stats.busy_s += results.busy_s
        self._failed_starts = 0
        held = worker.load
        worker.settle(results, self._now() + self._options.timeout_s)
        self._note_pace(results.busy_s, held - worker.load)
        if results.results:
            self._report([(result.id, result.parsed) for result in results.results])
        if results.leaving:
            self._replace(worker)
        self._dispatch()

    def on_worker_lost(self, worker: "Worker") -> None:
        """A worker's stream ended (called by its protocol)."""
        if self._closing or worker not in self._workers:
            return
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= START_ATTEMPTS:
                self._fail(ParsePoolError(f"parse workers die at their start ({worker.how_it_ended()})"))
                return
        self._replace(worker)
        self._dispatch()

    def _replace(self, worker: "Worker") -> None:
        """Start another worker for one that died or leaves, and see to the pages that it held."""
        self._workers.remove(worker)
        self._gone.append(worker)
        self.stats.restarts += 1
        self._take_back(worker)
        worker.leave(at_once=not worker.was_told_to_leave)
        if not self._closing:
            self._tasks.create_task(self._start_worker())

    def _take_back(self, worker: "Worker") -> None:
        """Decide on the pages that a worker held.

        1. It left of its own accord, between two pages: the rest of its batch was not begun.
        2. It died with a suspect that was alone with it: that page is guilty.
        3. It died otherwise: any of its pages may have done it, or none, and each is tried alone.
        """
        held = list(worker.in_hand.items())
        if worker.was_told_to_leave:
            self._backlog.extendleft([held] if held else [])
        elif worker.alone and held:
            self._report([(held[0][0], worker.verdict(self._options.timeout_s))])
        else:
            self._suspects.extend(held)

    def _fail(self, error: Exception) -> None:
        """End the pool's block with an error that a callback found. Only the first counts."""

        async def fail() -> None:
            raise error

        if not self._closing:
            self._closing = True
            self._tasks.create_task(fail())

    async def _watch_workers(self) -> None:
        tick_s = min(WATCH_EVERY_S, self._options.timeout_s / 4)
        while True:
            due = self._now() + tick_s
            await asyncio.sleep(tick_s)
            now = self._now()
            for worker in self._workers:
                worker.look_after(now, late_s=now - due)
            self._gone = [worker for worker in self._gone if worker.is_alive()]
            if self.size < self._growth.most:
                await self._grow(now)

    async def _grow(self, now: float) -> None:
        """Start workers where pages wait for them. Where the system allows no more, those there are will do."""
        look = PoolLook(now, self.size, self._are_full, self._waiting_s, machine.idle_s())
        for _ in range(self._growth.look(look)):
            try:
                await self._start_worker()
            except ParsePoolError:
                self._growth.most = self.size
                return
            self._since.append(now)

    @property
    def _are_full(self) -> bool:
        """Every worker runs, and none is to be given a page of those that wait."""
        return len(self._workers) == self.size and all(each.is_ready and each.in_hand for each in self._workers)

    @property
    def _waiting_s(self) -> float:
        """Work in the pages that wait for a worker, `inf` where none is done that would tell."""
        waiting = sum(len(page.body) + 1 for batch in self._backlog for _, page in batch)
        if not waiting or not self._recent_bytes:
            return inf if waiting else 0.0
        return waiting * self._recent_s / self._recent_bytes
