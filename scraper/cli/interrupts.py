"""The signals that ask a session to end: Ctrl-C, SIGTERM, and SIGHUP where a terminal goes away."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Self

from scraper.cli.speak import tell

if TYPE_CHECKING:
    from scraper.pipeline import Pipeline

HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
"""The terminal is gone, or its shell ended."""


class Interrupts:
    """What a signal does: it drains the run, the second one ends it at once; before the run it ends the session.

    One answer for each signal for the whole session, in place of asyncio's for Ctrl-C and another one later: a signal
    that comes while those change places is answered by both.
    """

    def __init__(self) -> None:
        """Nothing is taken before `taken`."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: asyncio.Task[object] | None = None
        self._pipeline: Pipeline | None = None
        self.told = 0
        """Signals so far."""

    @contextmanager
    def taken(self) -> Iterator[Self]:
        """Answer the signals for as long as the block, of the main thread; behind the session they mean nothing.

        Raises KeyboardInterrupt where they have cancelled the session.
        """
        before = {number: signal.signal(number, self._answer) for number in _ends()}
        try:
            yield self
        except asyncio.CancelledError:
            if not self.told:
                raise
            raise KeyboardInterrupt from None
        finally:
            for number, answer in before.items():
                if signal.getsignal(number) == self._answer:
                    signal.signal(number, answer)

    def session_begins(self) -> None:
        """Called by the session's task: from now on the first signal cancels it."""
        self._loop, self._session = asyncio.get_running_loop(), asyncio.current_task()

    def run_begins(self, pipeline: "Pipeline") -> None:
        """From now on there is something to drain."""
        self._pipeline = pipeline

    def _answer(self, number: int, frame: FrameType | None) -> None:
        """In the middle of anything: only what has not begun may be broken off here. The rest is the loop's."""
        self.told += 1
        if self._loop is None or (self.told > 1 and self._pipeline is None):
            raise KeyboardInterrupt
        if number == HANGUP:
            signal.signal(number, signal.SIG_IGN)  # the kernel tells it, and the shell again to each of its jobs
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take, number)

    def _take(self, number: int) -> None:
        if self._pipeline is not None:
            _end(self._pipeline, is_hangup=number == HANGUP)
        elif self._session is not None:
            self._session.cancel()


def _ends() -> list[signal.Signals]:
    """What asks the program to end. Under nohup a hangup does not."""
    is_heard = HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([HANGUP] if HANGUP is not None and is_heard else [])]


def _end(pipeline: "Pipeline", *, is_hangup: bool) -> None:
    if not pipeline.is_stopping:
        pipeline.stop()
        tell(
            "stopping, the terminal is gone: what is under way is finished first"
            if is_hangup
            else "stopping: what is under way is finished first; once more to stop at once"
        )
    elif not is_hangup:
        pipeline.abort()
