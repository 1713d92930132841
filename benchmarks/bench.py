"""What the scenarios share: the options of a benchmark, its folders, and the commands to measure."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import Case, Run
from benchmarks.tree import measure

HERE = Path(__file__).parent
ROOT = HERE.parent
REAL_PAGES = ROOT.parent / "shared" / "pages"
"""Real web pages, gzipped, with a manifest. They belong to their publishers, so they are no part of the project."""


class BenchError(Exception):
    """A benchmark that would not be worth reading: a contender failed, or did another job than the others."""


@dataclass(frozen=True)
class Bench:
    """The options of the command."""

    pages: int
    rounds: int
    only: frozenset[str]
    """Contenders to run; empty: all."""
    seconds: float
    """How long the million URLs are worked on."""
    say: Callable[[str], None]

    def wants(self, name: str) -> bool:
        """Whether a contender is to run."""
        return not self.only or name in self.only

    def measure(self, label: str, pages: int, command: Sequence[str], cwd: Path) -> Run:
        """One run of a command, told as it ends."""
        run = measure(command, cwd=cwd, environment=environment())
        self.say(
            f"  {label:<34} {pages / run.wall_s:8,.0f} pages/s  {run.wall_s:6.2f} s  "
            f"{run.cpu_s / pages * 1000:7.3f} ms/page  {run.peak_bytes / 2**20:5.0f} MiB"
        )
        return run


def environment() -> dict[str, str]:
    """The environment of what is measured: the project is found from any folder, and modules are compiled once."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(ROOT)}


def ours(urls: Path | str, config: str, out: Path, *more: str) -> list[str]:
    """The tool as a user calls it, with all its features on; `config` is a file of this folder."""
    run = [sys.executable, "-m", "scraper", "run", str(urls), "-c", str(HERE / config), "-o", str(out)]
    return [*run, "--fresh", "--no-progress", *more]


def script(name: str, urls: Path, out: Path, *more: str) -> list[str]:
    """A script of contenders/."""
    return [sys.executable, "-m", f"benchmarks.contenders.{name}", str(urls), str(out), *more]


def write_list(folder: Path, urls: Sequence[str]) -> Path:
    """A URL list, one a line."""
    path = folder / "urls.txt"
    path.write_text("".join(f"{url}\n" for url in urls), encoding="utf-8")
    return path


@contextmanager
def folders(*names: str) -> Iterator[list[Path]]:
    """New folders in a temporary one."""
    with TemporaryDirectory(prefix="bench-") as name:
        base = Path(name)
        base.chmod(0o755)  # nginx's worker may be another user
        paths = [base / part for part in names]
        for path in paths:
            path.mkdir()
        yield paths


def add_run(cases: list[Case], name: str, pages: int, run: Run, **figures: float) -> None:
    """Put a run to the case of its name, which is made where it is new; of figures the last round's are kept."""
    for at, case in enumerate(cases):
        if case.name == name:
            cases[at] = Case(name, pages, [*case.runs, run], figures)
            return
    cases.append(Case(name, pages, [run], figures))
