"""The frontier's shell: hands its jobs to the fetch tasks that wait for one. One timer serves all waiting hosts."""

import asyncio
from collections import deque
from collections.abc import Callable

from scraper import weburl
from scraper.records import Fault, Job
from scraper.stats import Waits
from scraper.urls.frontier import Frontier
from scraper.urls.pace import Sign


class Gate:
    """Where fetch tasks wait for a job. Use on one event loop only.

    Once the gate is closed nothing begins any more: the tasks get None, and a job that comes later, a redirect or what
    waited for its robots.txt, is dropped as those are that were queued.
    """

    def __init__(self, frontier: Frontier, window: int, lane_of: Callable[[str], str] | None = None) -> None:
        """`window`: how many jobs `room` lets the feeder queue. `lane_of`: a host's lane; None: each has its own."""
        self.frontier = frontier
        self._window = window
        self._lane_of = lane_of
        self._loop = asyncio.get_running_loop()
        self._takers: deque[asyncio.Future[Job | None]] = deque()
        self._timer: asyncio.Handle | None = None
        self._timer_at: float | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def put(self, job: Job) -> Fault | None:
        """Queue a job; never blocks, so that a redirect or a retry cannot lock the ring of stages.

        Where the job's origin is set aside it is not queued, and ends with the fault that this gives.
        """
        if self._closed:
            return None
        refusal = self.frontier.add(job, self._loop.time(), self._lane(job.host) if self._lane_of else None)
        if self._takers:
            self._pump()
        if len(self.frontier) >= self._window:
            self._room.clear()
        return refusal

    def retry(self, job: Job, wait_s: float) -> None:
        """Queue a job for another try, `wait_s` seconds from now."""
        if self._closed:
            return
        self.frontier.retry(job, self._loop.time() + wait_s, self._lane(job.host))
        self._pump()

    def hold(self, host: str, wait_s: float) -> None:
        """Ask nothing of this host for the next `wait_s` seconds."""
        self.frontier.hold(self._lane(host), self._loop.time() + wait_s)

    def set_delay(self, host: str, seconds: float) -> None:
        """From now on one request at a time of this host, and at least so many seconds between two."""
        self.frontier.set_delay(self._lane(host), seconds)

    def done(self, job: Job, sign: Sign | None = None) -> None:
        """Give back the slot of a job that was taken. `sign`: what its answer says of the host's load."""
        self.frontier.done(job, self._loop.time(), sign)
        if self._takers:
            self._pump()

    def streak(self, job: Job) -> int:
        """How many round trips in a row met trouble before the answer to this job, which is in flight."""
        return self.frontier.streak(job)

    def fail(self, job: Job, fault: Fault, is_final: bool) -> Fault | None:
        """Count a fault of a job's origin. Where that is set aside, gives the fault of all its URLs: see `drain`."""
        return self.frontier.fail(job, fault, is_final, self._loop.time())

    def drain(self, job: Job) -> list[Job]:
        """Remove and give every job of this one's origin that is not in flight, for its end."""
        drained = self.frontier.drain(weburl.origin(job.url), self._lane(job.host))
        if len(self.frontier) < self._window:
            self._room.set()
        return drained

    def waits(self) -> Waits:
        """What the jobs that are not in flight wait for."""
        return self.frontier.waits(self._loop.time())

    async def room(self) -> None:
        """Wait until the frontier holds fewer jobs than the window."""
        await self._room.wait()

    async def take(self) -> Job | None:
        """The next job that may run; None when the gate was closed."""
        if self._closed:
            return None
        job = None if self._takers else self._next()
        if job is not None:
            return job
        taker: asyncio.Future[Job | None] = self._loop.create_future()
        self._takers.append(taker)
        self._pump()
        try:
            return await taker
        except asyncio.CancelledError:
            self._take_back(taker)
            raise

    def close(self) -> int:
        """Let every waiting task go home; jobs still queued are dropped. Gives how many those were."""
        self._closed = True
        dropped = self.frontier.discard()
        self._set_timer(None)
        self._room.set()
        while self._takers:
            _give(self._takers.popleft(), None)
        return dropped

    def _lane(self, host: str) -> str:
        return host if self._lane_of is None else self._lane_of(host)

    def _next(self) -> Job | None:
        job = self.frontier.take(self._loop.time())
        if job is not None and len(self.frontier) < self._window:
            self._room.set()
        return job

    def _pump(self) -> None:
        """Give jobs to takers until one of both runs out, then set the timer for the next host that wakes."""
        while self._takers:
            if self._takers[0].cancelled():
                self._takers.popleft()
                continue
            job = self._next()
            if job is None:
                break
            _give(self._takers.popleft(), job)
        self._set_timer(self.frontier.next_event() if self._takers else None)

    def _set_timer(self, when: float | None) -> None:
        if when == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = when
        self._timer = None if when is None else self._loop.call_at(when, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._timer_at = None
        self._pump()

    def _take_back(self, taker: "asyncio.Future[Job | None]") -> None:
        """A taker was cancelled after a job had been given to it: the job must not be lost."""
        if taker.cancelled() or not taker.done():
            return
        job = taker.result()
        if job is not None:
            self.frontier.done(job, self._loop.time())
            self.put(job)


def _give(taker: "asyncio.Future[Job | None]", job: Job | None) -> None:
    if not taker.done():
        taker.set_result(job)
