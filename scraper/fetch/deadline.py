"""A deadline for what the current task awaits: `asyncio.timeout` in a third of its time, which counts once a page."""

import asyncio
from types import TracebackType
from typing import Self

STALLED_S = 0.1
"""A timer that comes so late was held up by the loop: a page parsed on it, a process that was stopped."""


class Deadline:
    """A context manager around awaits. They are cancelled when the time is over, and TimeoutError leaves the block.

    A cancellation from outside passes through as one, also where it comes at the same moment. Where the loop stood
    still when the time was over, as long again is left, so that what has come meanwhile can be taken up.
    """

    __slots__ = ("_cancelling", "_is_over", "_loop", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        """Counts from now. To be made in the task that enters it."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline belongs to a task, and none is running")
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(max(seconds, 0.0), self._on_time)

    def __enter__(self) -> Self:
        """Begin."""
        self._cancelling = self._task.cancelling()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop the timer. Raises TimeoutError where it was this deadline that cancelled."""
        self._drop_timer()
        if self._is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from exc

    def pause(self) -> float:
        """Stop the clock; gives the seconds that are left, for `resume`."""
        left = 0.0 if self._timer is None else self._timer.when() - self._loop.time()
        self._drop_timer()
        return left

    def resume(self, seconds: float) -> None:
        """Let the clock run on, with so many seconds left."""
        if not self._is_over:
            self._timer = self._loop.call_later(max(seconds, 0.0), self._on_time)

    def _on_time(self) -> None:
        late_s = 0.0 if self._timer is None else self._loop.time() - self._timer.when()
        if late_s > STALLED_S:
            self._timer = self._loop.call_later(late_s, self._on_time)
            return
        self._timer = None
        self._is_over = True
        self._task.cancel()

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
