"""Threads, each of which fetches a page and parses it: the loop says which is next, and keeps the books."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from scraper.budget import Reservation
from scraper.engine import LocalEngine
from scraper.models.blueprint import Blueprint, engine_parts
from scraper.models.crew import Crew, Hand
from scraper.models.hybrid import behind_wall
from scraper.models.inline import overdue
from scraper.models.lent import LentToThread
from scraper.models.wall import walled
from scraper.models.whole import NoParser
from scraper.models.wholework import Answer, WholeWork, given_up
from scraper.parts import Outlet
from scraper.records import Job


class _Errand(NamedTuple):
    """One job on its way through a thread."""

    job: Job
    memory: LentToThread
    answer: "asyncio.Future[Answer]"


class ThreadFetcher:
    """`parts.Fetcher` whose pages come parsed. Its threads share one client: connections, cookies, addresses."""

    def __init__(self, blueprint: Blueprint) -> None:
        """Nothing is started before the block is entered."""
        self._blueprint = blueprint
        timeout_s = blueprint.config.parse.timeout
        self._loop = asyncio.get_running_loop()
        self._parse_slots = threading.Semaphore(blueprint.workers)
        self.crew: Crew[_Errand, Answer | Exception] = Crew(
            "fetch and parse",
            blueprint.concurrency,
            self._run,
            self._deliver,
            self._give_up,
            timeout_s,
        )

    async def __aenter__(self) -> Self:
        """Compile the rules, start the threads. Raises ParsePoolError where the plan cannot be carried out."""
        self._work = WholeWork(self._blueprint)
        self.crew.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the threads go, and close the connections."""
        self.crew.end()
        await asyncio.to_thread(self._work.close)

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none where they cannot be found."""
        return await asyncio.to_thread(self._work.addresses_of, host)

    async def fetch(self, job: Job, reservation: Reservation) -> Answer:
        """Have a thread fetch a page and parse it."""
        errand = _Errand(job, LentToThread(reservation, self._loop), self._loop.create_future())
        await errand.memory.lend()
        self.crew.put(errand)
        answer = await errand.answer
        errand.memory.settle()
        return answer

    def _run(self, hand: Hand[_Errand], errand: _Errand) -> Answer | Exception:
        try:
            return self._work.do(errand.job, errand.memory, partial(self._parsing, hand))
        except Exception as exc:  # the border of the thread: the loop raises it
            return exc

    def _give_up(self, errand: _Errand) -> Answer:
        """The answer for a page whose thread does not come back; another may parse in its place."""
        self._parse_slots.release()
        return given_up(errand.job, overdue(self._blueprint.config.parse.timeout))

    @contextmanager
    def _parsing(self, hand: Hand[_Errand]) -> Iterator[None]:
        """As many threads as parse.processes parse at once: more share the cores, and hold a tree each."""
        self._parse_slots.acquire()
        try:
            hand.parse_begins()
            yield
        finally:
            if not hand.is_given_up:
                self._parse_slots.release()

    def _deliver(self, results: list[tuple[_Errand, Answer | Exception]]) -> None:
        for errand, answer in results:
            if errand.answer.done():  # its fetch loop was cancelled
                continue
            if isinstance(answer, Exception):
                errand.answer.set_exception(answer)
            else:
                errand.answer.set_result(answer)


def open_threads(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run."""
    fetcher = ThreadFetcher(blueprint)
    parser = walled(blueprint.wall, lambda _: NoParser(fetcher.crew), behind_wall(blueprint))
    return LocalEngine(engine_parts(blueprint, fetcher, parser), outlet)
