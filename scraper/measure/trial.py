"""One trial: `scraper run` as a process of its own, measured from outside and by what its telemetry tells.

Nothing here knows what is compared with what.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from scraper.config import Config
from scraper.config.render import toml_value
from scraper.errors import ScraperError
from scraper.folder import SUMMARY
from scraper.histogram import quantile
from scraper.measure.report.told import SessionTold, read_sessions
from scraper.measure.tree import SAMPLE_S, CommandError, Usage, measure

LOG = "trial.log"
PROC = Path("/proc/self/task")
"""Linux tells about a process tree there."""
SHORT_S = 10 * SAMPLE_S
"""CPU time is told to 10 ms a process, at samples this far apart ten times over: less than that is no average."""
FEW_PAGES = 2
"""Fewer have no speed: there is nothing between the first row and the last."""


class _Counts(msgspec.Struct, frozen=True):
    """What a trial needs of summary.json."""

    ok: int
    failures: dict[str, int]
    seconds: float


class LateError(ScraperError):
    """A run did not end in the time it was given."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one run took."""

    settings: Mapping[str, Any]
    """What was set for it, by key: {"run.model": "hybrid"}."""
    folder: Path
    """Its output."""
    ok: int
    failures: Mapping[str, int]
    """By kind."""
    run_s: float
    """Seconds of the run itself, the interpreter's start and end left out."""
    usage: Usage
    """Of the whole process tree, from its start to its end."""
    session: SessionTold

    @property
    def model(self) -> str:
        """The model that it ran with."""
        return self.session.model

    @property
    def pages(self) -> int:
        """URLs that came to an outcome."""
        return self.ok + sum(self.failures.values())

    @property
    def working_s(self) -> float:
        """Seconds from the first row to the end: what a longer list would have more of. All, where no row came."""
        return self.session.seconds - (self.session.first_row_s or 0.0)

    @property
    def pages_per_s(self) -> float:
        """Outcomes a second once it works: without the start, which a longer list has but once."""
        if self.pages < FEW_PAGES or self.working_s <= 0:
            return self.pages / self.run_s if self.run_s else 0.0
        return (self.pages - 1) / self.working_s

    @property
    def first_row_s(self) -> float | None:
        """Seconds from the start of the run to its first row; None where there was none."""
        return self.session.first_row_s

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a page of all processes, once it works; with their start where none can tell them apart."""
        return self._working_cpu_s / self.pages * 1000 if self.pages else 0.0

    @property
    def cores(self) -> float:
        """Cores in use on average, once it works; over all of a run whose work was too short for the samples."""
        course = self.usage.course
        seconds = max(self.working_s, course[-1][0] - self._began) if course and self.working_s > 0 else 0.0
        return self._working_cpu_s / seconds if seconds > SHORT_S else self.usage.cpu_s / self.usage.wall_s

    @property
    def _working_cpu_s(self) -> float:
        """CPU seconds from the first row on, the end of all processes included."""
        return self.usage.cpu_s - self.usage.cpu_before_s(self._began)

    @property
    def _began(self) -> float:
        """When it came to its first row, seconds since the epoch."""
        return datetime.fromisoformat(self.session.started).timestamp() + (self.session.first_row_s or 0.0)

    def latency_s(self, q: float) -> float | None:
        """The time from the request to the row that a share `q` of pages do not exceed; None where none came."""
        return quantile(self.session.phases.page, q)


def run_trial(
    settings: Mapping[str, Any],
    config: Path | None,
    sources: Sequence[str],
    folder: Path,
    limit: int | None,
    *,
    timeout_s: float | None = None,
) -> Trial:
    """Run once into `folder`, which is emptied, and wait for the end. `settings`: key -> value, over the config's.

    `limit`: URLs to take up, None = all. Raises ScraperError where the run does not end well,
    LateError where it does not end in time. Whatever ends the wait, as Ctrl-C does, ends the run and all it started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    usage = _run(command_of(settings, config, sources, folder, limit), folder / LOG, timeout_s)
    sessions = read_sessions(folder)
    if not sessions:
        raise ScraperError(f"{folder}: the run left no telemetry, so nothing can be said about it")
    counts = msgspec.json.decode((folder / SUMMARY).read_bytes(), type=_Counts)
    return Trial(settings, folder, counts.ok, counts.failures, counts.seconds, usage, sessions[-1])


def command_of(
    settings: Mapping[str, Any], config: Path | None, sources: Sequence[str], folder: Path, limit: int | None
) -> list[str]:
    """The command of a trial, as a user would write it.

    >>> command_of({"run.model": "asyncio"}, None, ["urls.txt"], Path("out"), 5)[3:]
    ['run', '-o', 'out', '--fresh', '--quiet', '--set', 'run.model="asyncio"', '--limit', '5', '--', 'urls.txt']
    """
    command = [sys.executable, "-m", "scraper", "run", "-o", str(folder), "--fresh", "--quiet"]
    if config is not None:
        command += ["-c", str(config)]
    for key, value in settings.items():
        command += ["--set", f"{key}={toml_value(value)}"]
    if limit is not None:
        command += ["--limit", str(limit)]
    return [*command, "--", *sources]


def settings_of_own(config: Config) -> dict[str, Any]:
    """What a trial changes of a user's settings, so that it writes into its own folder and nowhere else.

    Rows that would go to a server become JSON lines; all else keeps its form.
    """
    formats = ["jsonl" if name == "postgres" else name for name in config.write.formats]
    own: dict[str, Any] = {}
    if any(config.write.written_paths):
        own["write.path"] = ""
    if formats != list(config.write.formats):
        own["write.format"] = list(dict.fromkeys(formats))
    if config.write.dedupe != "url":  # which of two equal pages comes first is a matter of chance
        own["write.dedupe"] = "url"
    if "warc" in formats and len(formats) == 1:  # an archive has no rows to compare
        own["write.format"] = ["warc", "jsonl"]
    return own


def _run(command: Sequence[str], log: Path, timeout_s: float | None) -> Usage:
    started = time.perf_counter()
    try:
        if PROC.is_dir():
            return measure(command, cwd=Path.cwd(), log=log, timeout_s=timeout_s)
        return _run_elsewhere(command, log, timeout_s)
    except CommandError as exc:
        if timeout_s is not None and time.perf_counter() - started >= timeout_s:
            raise LateError(f"a run took longer than {timeout_s:.3g} s") from exc
        last = exc.said.strip().splitlines()[-1:] or ["it said nothing"]
        raise ScraperError(f"a run ended with {exc.code}: {last[0].removeprefix('scraper: ')}") from exc


def _run_elsewhere(command: Sequence[str], log: Path, timeout_s: float | None) -> Usage:
    """`measure` where there is no /proc: CPU as the system counts it for ended children, memory as telemetry has it."""
    before, started = os.times(), time.perf_counter()
    with log.open("wb") as said:
        try:
            code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL  # it has been killed
    after, wall_s = os.times(), time.perf_counter() - started
    if code:
        raise CommandError(command, code, log.read_text(errors="replace")[-2000:])
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Usage(wall_s, cpu_s, cpu_s, 0)
