"""The pool of parse workers: batches out, results in, and a page that kills its worker costs only itself.

Why not ProcessPoolExecutor: when a worker dies it fails every pending task and cannot name the page that did it, and
one task a page costs as much as parsing a small page. Here each worker has its own socket, and the pool knows what it
holds:

    submit ─► batch (by bytes, by age) ─► backlog ─► worker with room ─► results
                                            ▲             │ dies, or gives nothing for `timeout`
                              suspects ◄────┴─────────────┘
                              one page alone in an idle worker: if that worker dies too, the page is the guilty one

Everything runs on the loop's thread and never blocks: asyncio's transports read and write both directions at once, so
that a worker which sends while it is sent to cannot dead-lock with its pool.
"""

import asyncio
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from scraper.errors import ParsePoolError
from scraper.parse import wire
from scraper.records import Page, Parsed

SOCKET_BUFFER = 1 << 20
"""Asked of the kernel for each direction, so that a whole batch usually leaves in one write (it may give less)."""
WATCH_EVERY_S = 0.25
START_ATTEMPTS = 3
"""So many workers in a row dying before their first page is no page's fault: the run ends."""
CLOSE_WITHIN_S = 2.0

Numbered = tuple[int, Page]
OnResults = Callable[[list[tuple[int, Parsed]]], None]


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How the pool works; sizes in bytes, times in seconds."""

    processes: int
    batch_bytes: int
    batch_age_s: float
    timeout_s: float
    """For one page; a worker that gives no result for so long is killed."""


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
    """

    def __init__(self, setup: wire.Setup, options: PoolOptions, on_results: OnResults) -> None:
        """Nothing is started before the block is entered."""
        self._setup = setup
        self._options = options
        self._on_results = on_results
        self._workers: list[_Worker] = []
        self._gone: list[_Worker] = []  # replaced, their processes not yet waited for
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

    async def __aenter__(self) -> "ParsePool":
        """Start the workers; pages may be submitted at once, while they still import."""
        await self._tasks.__aenter__()
        self._watch = self._tasks.create_task(self._watch_deadlines())
        for _ in range(self._options.processes):
            await self._start_worker()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: object) -> None:
        """End the workers and wait for them."""
        self._closing = True
        if self._batch_timer is not None:
            self._batch_timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        for worker in self._workers:
            worker.close()
        try:
            await self._tasks.__aexit__(kind, exc, None)
        finally:
            await asyncio.to_thread(_reap, [worker.process for worker in self._workers + self._gone])

    @property
    def in_hand(self) -> int:
        """Pages sent to workers and not yet back."""
        return sum(len(worker.in_hand) for worker in self._workers)

    @property
    def waiting(self) -> int:
        """Pages not yet sent to a worker."""
        return len(self._batch) + sum(map(len, self._backlog)) + len(self._suspects)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers, in no order."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, number: int, page: Page) -> None:
        """Take a page under a number of the caller's choice; returns at once. The caller bounds the bytes in flight."""
        self._batch.append((number, page))
        self._batch_bytes += len(page.body)
        if self._batch_bytes >= self._options.batch_bytes:
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

    def _with_room(self) -> "_Worker | None":
        most = 0 if self._suspects else self._options.batch_bytes
        free = [w for w in self._workers if w.is_ready and not w.alone and w.load <= most]
        return min(free, key=lambda worker: worker.load, default=None)

    def _send(self, worker: "_Worker", batch: list[Numbered], *, alone: bool) -> None:
        self.stats.batches += 1
        worker.alone = alone
        worker.send(batch, self._now() + self._options.timeout_s)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _start_worker(self) -> None:
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        with theirs:
            process = _spawn(theirs.fileno())
        worker = _Worker(process, self)
        self._workers.append(worker)
        await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=ours)
        worker.begin(self._setup)

    def on_worker_results(self, worker: "_Worker", results: wire.Results) -> None:
        """A worker reports (called by its protocol)."""
        if results.broken:
            self._fail(f"a parse worker could not start: {results.broken}")
            return
        self.stats.busy_s += results.busy_s
        self._failed_starts = 0
        worker.settle(results, self._now() + self._options.timeout_s)
        if results.results:
            self._on_results([(result.id, result.parsed) for result in results.results])
        if results.leaving:
            self._replace(worker, guilty=None)
        self._dispatch()

    def on_worker_lost(self, worker: "_Worker") -> None:
        """A worker's stream ended (called by its protocol)."""
        if self._closing or worker not in self._workers:
            return
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= START_ATTEMPTS:
                self._fail(f"parse workers die at their start ({worker.how_it_ended()})")
                return
        held = list(worker.in_hand.items())
        self._replace(worker, guilty=held[0] if len(held) == 1 else None)
        self._dispatch()

    def _replace(self, worker: "_Worker", guilty: Numbered | None) -> None:
        """Start another worker. What this one held is suspect, unless one page alone was with it: that is guilty."""
        self._workers.remove(worker)
        self.stats.restarts += 1
        held = [] if guilty else list(worker.in_hand.items())
        if worker.was_told_to_leave:
            self._backlog.extendleft([held] if held else [])
        else:
            self._suspects.extend(held)
        worker.close()
        self._gone.append(worker)
        if not worker.was_told_to_leave:
            worker.process.kill()
        if guilty:
            self._on_results([(guilty[0], worker.verdict(self._options.timeout_s))])
        if not self._closing:
            self._tasks.create_task(self._start_worker())

    def _fail(self, message: str) -> None:
        """End the pool's block with an error that a callback found. Only the first counts."""

        async def fail() -> None:
            raise ParsePoolError(message)

        if not self._closing:
            self._closing = True
            self._tasks.create_task(fail())

    async def _watch_deadlines(self) -> None:
        while True:
            await asyncio.sleep(min(WATCH_EVERY_S, self._options.timeout_s / 4))
            now = self._now()
            for worker in self._workers:
                if worker.in_hand and now >= worker.deadline:
                    worker.kill()
            self._gone = [worker for worker in self._gone if worker.process.poll() is None]


@dataclass(eq=False, slots=True)
class _Worker(asyncio.Protocol):
    """One worker process as the pool sees it: its stream and the pages it holds."""

    process: "subprocess.Popen[bytes]"
    pool: ParsePool
    in_hand: dict[int, Page] = field(default_factory=dict)
    load: int = 0
    """Bytes in hand; an empty page counts as one."""
    deadline: float = float("inf")
    alone: bool = False
    """It holds one suspect, and gets nothing else until that is back."""
    is_ready: bool = False
    was_told_to_leave: bool = False
    overdue: bool = False
    _reader: wire.ResultReader = field(default_factory=wire.ResultReader)
    _transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for results in self._reader.feed(data):
            self.pool.on_worker_results(self, results)

    def connection_lost(self, exc: Exception | None) -> None:
        self.pool.on_worker_lost(self)

    def begin(self, setup: wire.Setup) -> None:
        data = pickle.dumps(setup)
        self._write([wire.LENGTH.pack(len(data)) + data])

    def send(self, batch: list[Numbered], deadline: float) -> None:
        if not self.in_hand:
            self.deadline = deadline
        self.in_hand.update(batch)
        self.load += sum(len(page.body) + 1 for _, page in batch)
        self._write(wire.batch_frames(batch))

    def settle(self, results: wire.Results, deadline: float) -> None:
        self.is_ready = True
        self.deadline = deadline
        self.was_told_to_leave = results.leaving
        for result in results.results:
            self.load -= len(self.in_hand.pop(result.id).body) + 1
        if not self.in_hand:
            self.alone = False

    def verdict(self, timeout_s: float) -> Parsed:
        """The outcome of the page that was alone with this worker when it died."""
        if self.overdue:
            return Parsed(None, "parse_timeout", f"the page took longer than parse.timeout ({timeout_s:g} s)")
        return Parsed(None, "parse_crash", f"the parse worker died on this page ({self.how_it_ended()})")

    def how_it_ended(self) -> str:
        """The process's end in words."""
        try:
            code = self.process.wait(CLOSE_WITHIN_S)
        except subprocess.TimeoutExpired:
            return "it closed its stream"
        if code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit status {code}"

    def kill(self) -> None:
        self.overdue = True
        self.process.kill()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _write(self, pieces: list[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines(pieces)


def _spawn(fd: int) -> "subprocess.Popen[bytes]":
    """A fresh interpreter. In a process group of its own, so that Ctrl-C reaches the parent alone."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from scraper.parse.worker import main; main({fd})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        pass_fds=[fd],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
        process_group=0,
    )


def _has_fileno(stream: object) -> bool:
    try:
        return stream.fileno() >= 0  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, OSError, ValueError):
        return False


def _reap(processes: list["subprocess.Popen[bytes]"]) -> None:
    """Wait for closed workers; kill those that hang in a page."""
    for process in processes:
        try:
            process.wait(CLOSE_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
