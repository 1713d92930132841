"""Watches a run: samples it four times a second, has the samples judged, and tells in the end how the session went.

It decides nothing. All of it happens on the loop's thread, in one timer that is set anew each time: whoever keeps the
loop from its timers keeps it from this one, which is how stalls are seen.
"""

import asyncio
import platform
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from scraper import disk, machine
from scraper.histogram import Histogram
from scraper.limits import Judge, Limit
from scraper.series import Series
from scraper.stats import Capacity, Sample, Waits
from scraper.telemetry import Recorder
from scraper.telemetryfile import Setting, Totals, session_record

BEAT_S = 0.025
"""Between two looks at the clock: half of a stall that counts. 5 us each."""
BEATS_A_TICK = 10
"""Samples every 0.25 s; each takes some 0.2 ms."""
TICKS_A_LOOK = 2
"""At the memory of the process tree."""
LEAST_JUDGED_S = 0.5
"""A session that was shorter was limited by its start and its end."""


class Watched(Protocol):
    """What is watched; `pipeline.Pipeline` is such."""

    recorder: Recorder
    judge: Judge
    first_row_at: float | None

    def sample(self) -> Sample:
        """Its state now."""

    def waits(self) -> Waits:
        """What its jobs wait for."""

    @property
    def capacity(self) -> Capacity:
        """What its settings allow."""


class Monitor:
    """Watches a run from `start` to `stop`. Use on its loop."""

    def __init__(self, run: Watched) -> None:
        """Nothing is watched before `start`."""
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._started = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._started_at = self._ended_at = self._loop.time()
        self._cpu_before_s = machine.tree_cpu_s()
        self._disk_before_s = disk.forcing.seconds
        self._series = Series(self._started_at)
        self._peak_rss: int | None = None
        self._beats = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch."""
        self.look()
        self._set_timer()

    def stop(self) -> None:
        """Watch no longer; the time since the last look is judged too."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.look()

    def look(self) -> None:
        """Take a sample now: something begins or ends, and what went before is not to be mixed with what follows."""
        run = self._run
        sample = replace(
            run.sample(),
            waits=run.waits(),
            disk_busy_s=disk.forcing.seconds - self._disk_before_s,
            process_s=machine.process_cpu_s(),
            idle_s=machine.idle_s(),
        )
        run.judge.add(sample)
        self._ended_at = sample.at
        if sample.at > self._started_at:
            verdict = run.judge.verdict
            self._series.tick(sample, run.judge.load, verdict.name if verdict else None)
        if self._beats % (BEATS_A_TICK * TICKS_A_LOOK) == 0:
            self._look_at_memory()

    @property
    def limits(self) -> list[Limit]:
        """What limited the run, the longest first; none of a session too short to tell."""
        judge = self._run.judge
        return judge.limits() if judge.judged_s >= LEAST_JUDGED_S else []

    def record(self, written: Histogram) -> dict[str, Any]:
        """The session for telemetry.json. `written`: seconds until rows were durable."""
        run, cpu_s = self._run, machine.tree_cpu_s()
        first = run.first_row_at
        totals = Totals(
            seconds=self._ended_at - self._started_at,
            first_row_s=None if first is None else first - self._started_at,
            cpu_s=None if cpu_s is None or self._cpu_before_s is None else cpu_s - self._cpu_before_s,
            write=written,
            peak_rss=self._peak_rss,
        )
        setting = Setting(self._started, run.capacity, platform.python_version(), machine.has_gil())
        limits = [limit.as_json() for limit in run.judge.limits()]
        return session_record(setting, totals, run.recorder, self._series, limits)

    def _set_timer(self) -> None:
        self._timer = self._loop.call_later(BEAT_S, self._beat, time.monotonic() + BEAT_S)

    def _beat(self, due: float) -> None:
        self._run.recorder.stalled(max(time.monotonic() - due, 0.0))
        self._beats += 1
        if self._beats % BEATS_A_TICK == 0:
            self.look()
        self._set_timer()

    def _look_at_memory(self) -> None:
        rss = machine.tree_rss()
        if rss is not None:
            self._peak_rss = max(self._peak_rss or 0, rss)
