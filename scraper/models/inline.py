"""Parsing on the loop's own thread: nothing is handed over, and nothing else happens meanwhile."""

import asyncio
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType, TracebackType
from typing import Protocol, Self

from scraper.errors import PageOverdueError, ParsePoolError
from scraper.models.limits import PageMemory
from scraper.models.wall import Handle, Wall
from scraper.parse.wire import Setup
from scraper.parts import OnParsed
from scraper.records import Page, Parsed
from scraper.work import build

TURN_S = 0.005
"""Pages are parsed for so long, one at least, before the loop's timers and sockets have their turn: a turn costs what a
light page does."""


class PageClock(Protocol):
    """Ends a page whose time is over."""

    def arm(self) -> None:
        """Begin: pages will come."""

    def disarm(self) -> None:
        """No further page comes."""

    def running(self, page: Page) -> AbstractContextManager[None]:
        """Around the work on a page; may raise PageOverdueError in it."""


class BusyTime:
    """Seconds spent on pages; `parts.ParserStats`."""

    __slots__ = ("busy_s",)

    def __init__(self) -> None:
        """None so far."""
        self.busy_s = 0.0


class InlineParser:
    """`parts.Parser` that has parsed a page when the loop's next turn comes."""

    def __init__(
        self, setup: Setup, on_parsed: OnParsed, clock: "PageClock | None" = None, wall: Wall | None = None
    ) -> None:
        """Nothing is loaded before the block is entered. `clock`: what ends a page that takes too long.

        `wall`: where the process has a guardian.
        """
        self._setup = setup
        self._wall = wall
        self._on_parsed = on_parsed
        self._handle: Handle | None = None
        self._loop = asyncio.get_running_loop()
        self._clock = clock or Alarm(setup.timeout_s)
        self._pages: deque[tuple[int, Page]] = deque()
        self._is_due = False
        self.stats = BusyTime()

    async def __aenter__(self) -> Self:
        """Compile the rules. Raises ParsePoolError where that fails."""
        self._handle = handler_of(self._setup, self._wall)
        self._clock.arm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what is not parsed, give the signal of the clock back."""
        self._pages.clear()
        self._clock.disarm()

    def submit(self, number: int, page: Page) -> None:
        """Parse a page in a turn of the loop's own: between two pages timers and sockets have theirs."""
        self._pages.append((number, page))
        self._parse_soon()

    def _parse_soon(self) -> None:
        if self._pages and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._parse_next)

    def _parse_next(self) -> None:
        self._is_due = False
        until, results = time.monotonic() + TURN_S, []
        while self._pages:  # none where the block was left meanwhile
            number, page = self._pages.popleft()
            results.append((number, self._parse(page)))
            if time.monotonic() >= until:
                break
        if results:
            self._on_parsed(results)
        self._parse_soon()

    def _parse(self, page: Page) -> Parsed:
        assert self._handle is not None
        started = time.monotonic()
        try:
            with self._clock.running(page):
                return self._handle(page)
        except PageOverdueError:
            return overdue(self._setup.timeout_s)
        finally:
            self.stats.busy_s += time.monotonic() - started


def handler_of(setup: Setup, wall: Wall | None = None, at_once: int = 1) -> Handle:
    """What parses a page in this process, in up to `at_once` threads. Raises ParsePoolError where the plan is at fault.

    `wall`: where the process has a guardian, which is told.
    """
    try:
        handle = build(setup.plan)
        return handle if wall is None else wall.told(handle, PageMemory(setup.max_memory, at_once))
    except Exception as exc:  # the user's module may raise anything; the pool's workers have the same border
        raise ParsePoolError(f"parsing could not start: {type(exc).__name__}: {exc}") from exc


def overdue(timeout_s: float) -> Parsed:
    """The outcome of a page that took too long."""
    return Parsed(None, "parse_timeout", f"the page took longer than parse.timeout ({timeout_s:g} s)")


class Alarm:
    """Ends a page's Python code after its time, by a signal; code that is not Python's is ended when it returns.

    Signals reach the main thread only: on another one nothing is ended.
    """

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: for each page."""
        self._timeout_s = timeout_s
        self._works = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
        self._is_running = False
        self._before: object = None

    def arm(self) -> None:
        """Take the signal."""
        if self._works:
            self._before = signal.signal(signal.SIGALRM, self._on_alarm)

    def disarm(self) -> None:
        """Give it back."""
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)  # type: ignore[arg-type]  # what signal() gave

    @contextmanager
    def running(self, page: Page) -> Iterator[None]:
        """Raise PageOverdueError in the block when its time is over."""
        if not self._works:
            yield
            return
        self._is_running = True
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)
        try:
            yield
        finally:
            self._is_running = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if self._is_running:
            raise PageOverdueError
