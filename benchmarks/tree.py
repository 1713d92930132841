"""What the benchmarks measure of a command: the process tree as `scraper.measure.tree` sees it, as a `Run`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.results import Run
from scraper.measure import tree
from scraper.measure.tree import CommandError, own_cpu_s, rss_bytes

__all__ = ["CommandError", "measure", "own_cpu_s", "rss_bytes"]

TIMEOUT_S = 180


def measure(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
    watch: Callable[[int, float], None] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Run:
    """Run a command to its end, its words in command.log of the folder. As `scraper.measure.tree.measure`."""
    usage = tree.measure(
        command,
        cwd=cwd,
        log=cwd / "command.log",
        environment=environment,
        expected=expected,
        watch=watch,
        timeout_s=timeout_s,
    )
    return Run(usage.wall_s, usage.cpu_s, usage.main_cpu_s, usage.peak_bytes)
