"""`make bench`: run scenarios, print their figures, and write docs/benchmarks.md with its plot and its data."""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import ROOT, Bench, BenchError
from benchmarks.changes import slower
from benchmarks.machine import load, machine, sources_digest, versions
from benchmarks.plot import draw
from benchmarks.results import Report, Reports, read_reports, save_reports
from benchmarks.scenarios import SCENARIOS
from benchmarks.scenarios.job import CONTENDERS
from benchmarks.table import case_table, generated, with_generated
from benchmarks.tree import CommandError

DOCS = ROOT / "docs"
PACKAGE = ROOT / "scraper"
FAILED = 1


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "scenarios", nargs="*", default=["job"], metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}, or all"
    )
    parser.add_argument("--pages", type=int, default=3000, help="pages of the main scenario (3000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender (3)")
    parser.add_argument("--only", default="", help="contenders of the main scenario, with commas; nothing is written")
    parser.add_argument("--seconds", type=float, default=60, help="how long the million URLs are worked on (60)")
    parser.add_argument("--redraw", action="store_true", help="run nothing; draw page and plot from the data there are")
    parser.add_argument("--print-only", action="store_true", help="leave docs/benchmarks.md as it is")
    chosen = parser.parse_args(arguments)
    if chosen.redraw:
        chosen.scenarios = []
    if "all" in chosen.scenarios:
        chosen.scenarios = list(SCENARIOS)
    unknown = [name for name in chosen.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"no scenario {unknown[0]!r}: choose of {', '.join(SCENARIOS)}, or all")
    chosen.only = frozenset(filter(None, chosen.only.split(",")))
    if strangers := chosen.only - {contender.name for contender in CONTENDERS}:
        parser.error(f"no contender {min(strangers)!r}: choose of {', '.join(c.name for c in CONTENDERS)}")
    if min(chosen.pages, chosen.rounds, chosen.seconds) < 1:
        parser.error("--pages, --rounds and --seconds must be 1 or more")
    return chosen


def run_scenario(name: str, bench: Bench, command: str) -> Report:
    """One scenario, with what a reader must know of where it ran."""
    print(f"\n{name}", flush=True)
    where, code = f"{machine()}, {load()}", sources_digest(PACKAGE)
    setting, cases = SCENARIOS[name](bench)
    if sources_digest(PACKAGE) != code:
        raise BenchError("the tool was edited while it was measured: the rounds are not of the same code")
    ran_with = {**versions(), "sources": code}
    report = Report(name, setting, command, datetime.now(UTC).date().isoformat(), where, ran_with, cases)
    print(f"\n{setting}\n\n{case_table(report)}\n", flush=True)
    return report


def publish(reports: Reports, docs: Path) -> None:
    """Write data, page and plot."""
    save_reports(docs / "benchmarks.json", reports)
    page = docs / "benchmarks.md"
    page.write_text(with_generated(page.read_text(encoding="utf-8"), generated(reports)), encoding="utf-8")
    if "job" in reports:
        (docs / "benchmarks.svg").write_text(draw(reports["job"].cases), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Run what the command line asks for; gives the exit code. A scenario that cannot be run is told and left out."""
    chosen = options(arguments)
    bench = Bench(chosen.pages, chosen.rounds, chosen.only, chosen.seconds, lambda text: print(text, flush=True))
    command = "make bench" + (f' ARGS="{shlex.join(arguments)}"' if arguments else "")
    code, reports = 0, read_reports(DOCS / "benchmarks.json")
    for name in chosen.scenarios:
        try:
            report = run_scenario(name, bench, command)
            print(*slower(reports.get(name), report), sep="\n", flush=True)
            reports[name] = report
        except (BenchError, CommandError) as exc:
            print(f"{name}: {exc}", file=sys.stderr)
            code = FAILED
    if not (chosen.print_only or chosen.only):
        publish(reports, DOCS)
    return code


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))  # so that servers and folders go, as with Ctrl-C
    sys.exit(main(sys.argv[1:]))
