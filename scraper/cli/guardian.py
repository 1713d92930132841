"""The guardian of a run whose model has one process: where a page takes the process down, another one goes on.

    guardian ── forks ──► the run, resumed as often as need be
        │  its end, its board ◄──┘
        └─ hands signals on, and ends as the run ends

It costs a fork, before anything has begun; then it sleeps, and looks at the board four times a second. What becomes of
the pages that are suspected is for `models/wall.py`.
"""

import os
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import typer

from scraper.cli.losses import CRASHES, Losses, Overdue
from scraper.cli.run import INTERRUPTED
from scraper.cli.speak import tell
from scraper.config import Config
from scraper.models.wall import Board, Wall

ALONE = ("asyncio", "asyncio-threads", "threads")
"""The models in which a page can take the run down."""
LOOK_S = 0.25
PATIENCE_S = 1.0
"""A page may take so much longer than parse.timeout: Python code is ended by the run itself."""
_PR_SET_PDEATHSIG = 1


def can_guard(config: Config, sources: Sequence[str]) -> bool:
    """Whether a run has a guardian. A list that is piped in cannot be read again, so it has none."""
    return config.run.model in ALONE and not any(map(_is_piped, sources)) and hasattr(os, "pidfd_open")


def _is_piped(source: str) -> bool:
    return source == "-" or (os.path.exists(source) and not os.path.isfile(source))


def guarded(timeout_s: float, *, quiet: bool) -> Wall:
    """Fork, and give the run what it has to know: this returns in each child, and never in the guardian.

    `timeout_s`: parse.timeout. The guardian ends with the run's own code once it has ended by itself, and raises
    typer.Exit where it gives up.
    """
    losses, guardian = Losses(), _Guardian(Board(), timeout_s)
    while not guardian.fork():
        _see_to_its_end(guardian, losses, quiet=quiet)
    return Wall(guardian.board, frozenset(losses.suspects), losses.are_many)


def _see_to_its_end(guardian: "_Guardian", losses: Losses, *, quiet: bool) -> None:
    """Wait for the run, and return only where another is to go on."""
    begun = time.monotonic()
    why = guardian.wait()
    ended = time.monotonic()
    if guardian.is_asked_to_end:
        tell(f"scraper: the run {why} while it was stopping: the same command resumes")
        raise typer.Exit(INTERRUPTED)
    goes_on = losses.add(guardian.board.blamed(ended), ended - begun)
    if not (goes_on and quiet):
        tell(f"scraper: {losses.words(why)}")
    if not goes_on:
        raise typer.Exit(1)
    guardian.board.clear()


@contextmanager
def dying_of_want(wall: Wall | None) -> Iterator[None]:
    """The end of the block is the run's own; where a page has left it without memory its guardian begins another."""
    if wall is None:
        yield
        return
    try:
        yield
    except* MemoryError:  # a task's comes in a group
        os.kill(os.getpid(), signal.SIGKILL)
    finally:
        wall.board.leaves()


class _Guardian:
    """One run after the other, as the children of this process."""

    def __init__(self, board: Board, timeout_s: float) -> None:
        self.board = board
        self.is_asked_to_end = False
        """A signal that ends the run came by."""
        self._timeout_s = timeout_s
        self._pid = os.getpid()
        self._child = 0
        self._is_paused = False
        self._is_overdue = False
        self._before: dict[signal.Signals, Any] = {}

    def fork(self) -> bool:
        """Begin a run; gives whether this is its process. A signal of that moment waits until each knows who it is."""
        ends = [number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if _is_wanted(number)]
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [*ends, signal.SIGTSTP])
        try:
            self._child = os.fork()
            if self._child:
                self._take_signals(ends)
            else:
                self._become_run()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return not self._child

    def wait(self) -> str:
        """How the run was lost. Ends this process too where it ended by itself, or as somebody asked: all is said."""
        status = self._status()
        if os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            if self.is_asked_to_end or self.board.was_left() or not self.board.in_parse():
                os._exit(code)
            return f"was ended from within, with exit code {code}"
        number = signal.Signals(os.WTERMSIG(status))
        if number not in CRASHES:
            os._exit(128 + number)
        if self._is_overdue:
            return f"did not come back from a page within parse.timeout ({self._timeout_s:g} s)"
        if number == signal.SIGKILL:
            return "was killed (SIGKILL: by somebody, or for want of memory)"
        return f"crashed ({number.name})"

    def _status(self) -> int:
        overdue, before = Overdue(self._timeout_s + PATIENCE_S), time.monotonic()
        self._is_overdue = False
        end = os.pidfd_open(self._child)
        try:
            while (status := self._status_now(end)) is None:
                now = time.monotonic()
                if not self._is_overdue and overdue.look(self.board.in_parse(), min(now - before, 2 * LOOK_S)):
                    self._is_overdue = True
                    os.kill(self._child, signal.SIGKILL)
                before = now
        finally:
            os.close(end)
            self._child = 0
        return status

    def _status_now(self, end: int) -> int | None:
        """The status that the run has ended with, None where it runs on. Waits for it a while."""
        select.select([end], [], [], LOOK_S)
        pid, status = os.waitpid(self._child, os.WNOHANG | os.WUNTRACED)
        if not pid:
            return None
        if not os.WIFSTOPPED(status):
            return status
        if not self._is_paused:  # stopped by somebody who does not know that it has a guardian
            os.kill(self._child, signal.SIGCONT)
        return None

    def _take_signals(self, ends: Sequence[signal.Signals]) -> None:
        if self.is_asked_to_end:  # since the last run was lost
            os.kill(self._child, signal.SIGTERM)
        for number in ends:
            self._before.setdefault(number, signal.signal(number, self._end))
        if _is_wanted(signal.SIGTSTP):
            self._before.setdefault(signal.SIGTSTP, signal.signal(signal.SIGTSTP, self._pause))

    def _become_run(self) -> None:
        """A group of its own, so that Ctrl-C comes once, from the guardian; and no life without it."""
        for number, answer in self._before.items():
            signal.signal(number, answer)
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it may draw its progress all the same
        _die_with(self._pid)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.is_asked_to_end = True
        self._hand_on(number)

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the run rests while this process does."""
        self._is_paused = True
        self._hand_on(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._hand_on(signal.SIGCONT)
        self._is_paused = False

    def _hand_on(self, number: int) -> None:
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, number)


def _is_wanted(number: signal.Signals) -> bool:
    """A signal that whoever started this has switched off stays so."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _die_with(parent: int) -> None:
    """Ask the system to end this process when its parent ends, however that happens."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it had ended before it was asked
        os._exit(1)
