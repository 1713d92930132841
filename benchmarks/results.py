"""The records of a benchmark: plain data, kept as docs/benchmarks.json, from which page and plot are drawn."""

from pathlib import Path
from statistics import median

import msgspec

MIB = 1024 * 1024


class Run(msgspec.Struct, frozen=True):
    """One process tree, from its start to its end."""

    wall_s: float
    cpu_s: float
    """User and system time of all its processes."""
    main_cpu_s: float
    """Of these, what the process that was started used itself, all its threads."""
    peak_bytes: int
    """The most memory that all its processes held at once."""


class Case(msgspec.Struct, frozen=True):
    """One contender, or one setting of a scenario, over all rounds."""

    name: str
    pages: int
    runs: list[Run]
    figures: dict[str, float] = {}
    """What the scenario measured besides, by name; the unit is in the name."""

    @property
    def pages_per_s(self) -> list[float]:
        """By round."""
        return [self.pages / run.wall_s for run in self.runs]

    @property
    def cpu_ms(self) -> list[float]:
        """Milliseconds of CPU a page, by round."""
        return [run.cpu_s / self.pages * 1000 for run in self.runs]

    @property
    def main_cpu_ms(self) -> list[float]:
        """Milliseconds of the main process's CPU a page, by round."""
        return [run.main_cpu_s / self.pages * 1000 for run in self.runs]

    @property
    def wall_s(self) -> list[float]:
        """Seconds, by round."""
        return [run.wall_s for run in self.runs]

    @property
    def peak_mib(self) -> list[float]:
        """MiB, by round."""
        return [run.peak_bytes / MIB for run in self.runs]


class Report(msgspec.Struct, frozen=True):
    """What one scenario gave, and where."""

    scenario: str
    setting: str
    """What was served and asked, in a sentence."""
    command: str
    at: str
    """The day, RFC 3339."""
    machine: str
    versions: dict[str, str]
    cases: list[Case]

    def case(self, name: str) -> Case | None:
        """The case of this name; None where it was not measured."""
        return next((case for case in self.cases if case.name == name), None)


Reports = dict[str, Report]
"""By scenario."""


def middle(values: list[float]) -> float:
    """The median.

    >>> middle([3.0, 1.0, 2.0])
    2.0
    """
    return median(values)


def read_reports(path: Path) -> Reports:
    """The reports of a file; none where there is no file."""
    return msgspec.json.decode(path.read_bytes(), type=Reports) if path.exists() else {}


def save_reports(path: Path, reports: Reports) -> None:
    """Write reports, laid out to be read in a diff."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(reports, order="sorted"), indent=1) + b"\n")
