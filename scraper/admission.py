"""The way of a job into the frontier, and back into it: robots.txt, the address of its host, a lane, another try.

    enter ─► permits ─► address ─► gate ◄─ retry_or_end
               │  ▲        │         │           │
               │  └ robots.txt came  │           │
               └─ forbidden ───── host set aside ┴─► fail_url

All that is put into the gate comes from here. A job that must wait before it is kept by its origin or its host, and
holds no task. A robots.txt is fetched by a job too, and its answer comes back here.
"""

import asyncio
from collections.abc import Callable

from scraper import weburl
from scraper.backlog import Unqueued
from scraper.coding import CodingError, fault_for, start_of
from scraper.fetch import hops
from scraper.parts import EngineParts
from scraper.records import Fault, Job, Page, Redirect, Target
from scraper.urls.gate import Gate
from scraper.urls.permits import Permits, answer_to, first_hop
from scraper.urls.robots import MAX_BYTES, Robots

ROBOTS_REDIRECTS = 5
"""RFC 9309 section 2.3.1.2."""


class Admission:
    """Lets jobs into the gate's frontier, or ends them. Use on one event loop only."""

    def __init__(
        self,
        parts: EngineParts,
        gate: Gate,
        unqueued: Unqueued,
        fail_url: Callable[[Target, Fault, int], None],
        on_placed: Callable[[], None],
    ) -> None:
        """`fail_url` ends a URL of the input, with its number of tries.

        `on_placed` is called when the jobs of a host that was looked up have gone on.
        """
        self._fetcher = parts.fetcher
        self._from_archive = parts.from_archive
        self._lanes = parts.lanes
        self._permits = parts.permits
        self._retries = parts.retries
        self._elsewhere = parts.elsewhere
        self._gate = gate
        self._unqueued = unqueued
        self._fail_url = fail_url
        self._on_placed = on_placed
        self._loop = asyncio.get_running_loop()
        self._tasks: asyncio.TaskGroup | None = None
        self._unplaced: dict[str, list[Job]] = {}
        self._lookups: set[asyncio.Task[None]] = set()

    def open(self, tasks: asyncio.TaskGroup) -> None:
        """From now on addresses are looked up, in tasks of this group."""
        self._tasks = tasks

    def close(self) -> None:
        """End the lookups under way; the jobs that wait for them stay where they are."""
        for task in self._lookups:
            task.cancel()

    def enter(self, job: Job) -> None:
        """Let a job run when its host's turn comes, if robots.txt allows it; every hop of a page passes here."""
        if self._elsewhere is not None and self._elsewhere(job, 0.0):
            return
        permits = self._permits
        verdict = None if permits is None else permits.judge(job, self._loop.time())
        if permits is None or verdict is None:
            self._put(job)
        elif isinstance(verdict, Fault):
            self._refuse(job, verdict, permits.tries_for(job))
        else:
            self._unqueued.update()
            if verdict.ask is not None:
                self._put(verdict.ask)

    def enter_after(self, wait_s: float, job: Job) -> None:
        """Let a job in that has been allowed before, when its wait is over."""
        if job.target.robots_url is not None or self._elsewhere is None or not self._elsewhere(job, wait_s):
            self._gate.retry(job, wait_s)

    def retry_or_end(self, job: Job, fault: Fault, streak: int = 0) -> None:
        """Let a job in once more when its wait is over, or end it; where its origin is set aside, all jobs of that.

        `streak`: round trips in a row that met trouble at this host.
        """
        if self._from_archive:
            self._end(job, fault, job.attempt)
            return
        decision = self._retries.decide(job, fault, streak)
        if decision.hold_host_s:
            self._gate.hold(job.host, decision.hold_host_s)
        is_final = decision.wait_s is None
        aside = self._gate.fail(job, fault, is_final)
        if decision.wait_s is not None and aside is None:
            self.enter_after(decision.wait_s, first_hop(job.target, job.attempt + 1))
        else:
            self._end(job, decision.fault, job.attempt)
        if aside is not None:
            for other in self._gate.drain(job):
                self._refuse(other, aside)

    def _refuse(self, job: Job, fault: Fault, tries: int = 0) -> None:
        """End a job that is not to be run: forbidden, its origin set aside, or tried in vain so many `tries`."""
        self._end(job, fault, max(tries, job.attempt if job.hop else job.attempt - 1))

    def _end(self, job: Job, fault: Fault, attempts: int) -> None:
        """End a job for good: its URL fails, or the jobs that wait for its robots.txt are judged by the fault."""
        if job.target.robots_url is None:
            self._fail_url(job.target, fault, attempts)
        else:
            self._settle_robots(job, answer_to(fault))

    # -- the lane -------------------------------------------------------------------------------------------------

    def _put(self, job: Job) -> None:
        """Queue a job in its host's lane; where that goes by address, once the address is known."""
        lanes = self._lanes
        if lanes is not None and not lanes.knows(job.host):
            self._await_address(job)
        elif refusal := self._gate.put(job):
            self._refuse(job, refusal)

    def _await_address(self, job: Job) -> None:
        waiting = self._unplaced.setdefault(job.host, [])
        waiting.append(job)
        self._unqueued.unplaced += 1
        if len(waiting) == 1 and self._tasks is not None:
            self._lookups.add(self._tasks.create_task(self._place(job.host)))
        self._unqueued.update()

    async def _place(self, host: str) -> None:
        """Find the lane of a host, for the jobs that wait for it."""
        if self._lanes is not None:
            self._lanes.learn(host, await self._fetcher.addresses_of(host))
        waiting = self._unplaced.pop(host)
        self._unqueued.unplaced -= len(waiting)
        for job in waiting:
            self._put(job)
        self._lookups.difference_update([task for task in self._lookups if task.done()])
        self._unqueued.update()
        self._on_placed()

    # -- robots.txt -----------------------------------------------------------------------------------------------

    async def carry_robots(self, job: Job, answer: Page | Redirect | Fault) -> None:
        """Follow the redirects of a robots.txt and try it again like a page; then the jobs that wait for it go on."""
        if isinstance(answer, Redirect):
            hop = hops.next_hop(job, answer, ROBOTS_REDIRECTS)
            if isinstance(hop, Job):
                self._put(hop)
                return
            answer = hop
        if isinstance(answer, Fault):
            self.retry_or_end(job, answer, self._gate.streak(job))
        elif self._permits is not None:
            self._settle_robots(job, await asyncio.to_thread(_rules_of, answer, self._permits))

    def _settle_robots(self, job: Job, answer: Robots | Fault) -> None:
        if self._permits is None:
            return
        if isinstance(answer, Robots) and (delay_s := self._permits.crawl_delay_s(answer)):
            self._gate.set_delay(weburl.host(job.target.robots_url or job.url), delay_s)
        for waiting in self._permits.settle(job, answer, self._loop.time()):
            self.enter(waiting)
        self._unqueued.update()


def _rules_of(page: Page, permits: Permits) -> Robots | Fault:
    try:
        return permits.read(start_of(page.body, page.coding, MAX_BYTES))
    except CodingError as exc:
        return answer_to(fault_for(exc, page.status))
