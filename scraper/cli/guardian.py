"""The guardian of a run whose model has one process: where a page takes the process down, another one goes on.

    guardian ── forks ──► the run, resumed as often as need be
        │  its end, its board ◄──┘
        └─ hands signals on, and ends as the run ends

Nothing is set up for it but a fork, before anything slow is imported; then it sleeps, and looks at the board four times
a second. What a page is suspected of, and where it goes then, is `models/wall.py`'s.
"""

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import typer

from scraper.cli.speak import tell
from scraper.config import Config
from scraper.models.wall import Board, Wall

ALONE = ("asyncio", "asyncio-threads", "threads")
"""The models in which a page can take the run down."""
LOOK_S = 0.25
PATIENCE_S = 1.0
"""A page may take so much longer than parse.timeout: Python code is ended by the run itself."""
MOST_SUSPECTS = 8
"""Where more pages hurt, all go behind the wall."""
BARREN = 3
"""A run that so many times in a row dies of no page, each time soon, is given up."""
LONG_S = 60.0
_PR_SET_PDEATHSIG = 1
_HANDED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def can_guard(config: Config, sources: list[str]) -> bool:
    """Whether a run has a guardian. A list that is piped in cannot be read again, so it has none."""
    return config.run.model in ALONE and "-" not in sources and hasattr(os, "pidfd_open")


def guarded(timeout_s: float, *, quiet: bool) -> Wall:
    """Fork, and give the run what it has to know: this returns in each child, and never in the guardian.

    `timeout_s`: parse.timeout. Raises typer.Exit with the run's own code in the guardian, once there is one.
    """
    losses = Losses()
    guardian = _Guardian(Board(), timeout_s)
    while True:
        begun = time.monotonic()
        if guardian.fork():
            return Wall(guardian.board, frozenset(losses.suspects), losses.are_many)
        status = guardian.wait()
        if os.WIFEXITED(status):
            raise typer.Exit(os.WEXITSTATUS(status))
        why = guardian.cause(os.WTERMSIG(status))
        ended = time.monotonic()
        goes_on = losses.add(guardian.board.blamed(ended), ended - begun)
        guardian.board.clear()
        if not goes_on:
            tell(f"scraper: the run {why} {BARREN} times in a row, and no page is to blame: {GIVEN_UP}")
            raise typer.Exit(1)
        if not quiet:
            tell(f"scraper: {losses.words(why)}")


@contextmanager
def dying_of_want(wall: Wall | None) -> Iterator[None]:
    """A run that a page has left without memory does not come to an orderly end: its guardian begins another."""
    try:
        yield
    except MemoryError:
        if wall is None:
            raise
        os.kill(os.getpid(), signal.SIGKILL)


GIVEN_UP = 'what is written is safe, the same command resumes; run.model = "hybrid" tells more'


@dataclass(slots=True)
class Losses:
    """How often a run was lost, and the pages that are suspected of it. Pure."""

    suspects: set[bytes] = field(default_factory=set)
    newest: list[bytes] = field(default_factory=list)
    """Those of the last loss."""
    barren: int = 0
    """Losses in a row that no page is suspected of."""

    @property
    def are_many(self) -> bool:
        """So many suspects that every page is one."""
        return len(self.suspects) > MOST_SUSPECTS

    def add(self, blamed: Iterable[bytes], lived_s: float) -> bool:
        """Note a loss: whom the board blames, how long the run had lived. Gives whether to begin again."""
        self.newest = [] if self.are_many else [url for url in blamed if url not in self.suspects]
        self.suspects.update(self.newest)
        self.barren = 0 if self.newest or lived_s > LONG_S else self.barren + 1
        return self.barren < BARREN

    def words(self, why: str) -> str:
        """What happened, and what becomes of it, on one line."""
        if not self.newest:
            return f"the run {why}: it goes on where it was"
        first = self.newest[0].decode("utf-8", "replace")
        which = first if len(self.newest) == 1 else f"{first} or {len(self.newest) - 1} more"
        whither = "all pages are" if self.are_many else "what was in parse is"
        return f"the run {why}, perhaps of {which}: it goes on, and {whither} parsed in another process from now on"


@dataclass(slots=True)
class Overdue:
    """Tells when a page is in parse for too long. Counts the time in which the run could run. Pure."""

    limit_s: float
    _ages: Mapping[tuple[int, float], float] = field(default_factory=dict)

    def look(self, in_parse: Mapping[tuple[int, float], bytes], passed_s: float) -> bool:
        """`in_parse`: by where and since when, as the board tells it. `passed_s`: since the last look."""
        self._ages = {page: self._ages.get(page, -passed_s) + passed_s for page in in_parse}
        return any(age > self.limit_s for age in self._ages.values())


class _Guardian:
    """One run after the other, as the children of this process."""

    def __init__(self, board: Board, timeout_s: float) -> None:
        self.board = board
        self._limit_s = timeout_s + PATIENCE_S
        self._child = 0
        self._is_paused = False
        self._was_overdue = False
        self._before: dict[signal.Signals, Any] = {}

    def fork(self) -> bool:
        """Begin a run; gives whether this is its process. A signal of that moment waits until each knows who it is."""
        numbers = [number for name in _HANDED_ON if _is_wanted(number := getattr(signal, name))]
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [*numbers, signal.SIGTSTP])
        try:
            self._child = os.fork()
            if self._child:
                self._take(numbers)
            else:
                self._become_run()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return not self._child

    def wait(self) -> int:
        """The status that the run ends with."""
        overdue, before = Overdue(self._limit_s), time.monotonic()
        self._was_overdue = False
        end = os.pidfd_open(self._child)
        try:
            while True:
                select.select([end], [], [], LOOK_S)
                pid, status = os.waitpid(self._child, os.WNOHANG | os.WUNTRACED)
                if pid and not os.WIFSTOPPED(status):
                    return status
                if pid and not self._is_paused:  # by somebody who does not know that it has a guardian
                    os.kill(self._child, signal.SIGCONT)
                now = time.monotonic()
                if overdue.look(self.board.in_parse(), min(now - before, 2 * LOOK_S)) and not self._was_overdue:
                    self._was_overdue = True
                    os.kill(self._child, signal.SIGKILL)
                before = now
        finally:
            os.close(end)
            self._child = 0

    def cause(self, number: int) -> str:
        """How the run was lost."""
        if self._was_overdue:
            return f"did not come back from a page within parse.timeout ({self._limit_s - PATIENCE_S:g} s)"
        if number == signal.SIGKILL:
            return "was killed (SIGKILL: by somebody, or for want of memory)"
        return f"crashed ({signal.Signals(number).name})"

    def _take(self, numbers: list[signal.Signals]) -> None:
        for number in numbers:
            self._before.setdefault(number, signal.signal(number, self._hand_on))
        if _is_wanted(signal.SIGTSTP):
            self._before.setdefault(signal.SIGTSTP, signal.signal(signal.SIGTSTP, self._pause))

    def _become_run(self) -> None:
        """A group of its own, so that Ctrl-C comes once, from the guardian; and no life without it."""
        for number, answer in self._before.items():
            signal.signal(number, answer)
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it may draw its progress all the same
        _die_with_parent()

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, number)

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the run rests while this process does."""
        self._is_paused = True
        self._hand_on(signal.SIGSTOP, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._hand_on(signal.SIGCONT, None)
        self._is_paused = False


def _is_wanted(number: signal.Signals) -> bool:
    """A signal that whoever started this has switched off stays so."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _die_with_parent() -> None:
    """Ask the system to end this process when its parent ends, however that happens."""
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent or parent == 1:  # it had ended before it was asked
        os._exit(1)
