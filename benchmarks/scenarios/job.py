"""The main scenario: the same pages scraped by every contender in turn, round after round, and their rows compared."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmarks.bench import Bench, BenchError, add_run, environment, folders, ours, script, write_list
from benchmarks.golang import build, lacking
from benchmarks.pages import make_pages
from benchmarks.results import Case
from benchmarks.rows import Titles, differences, missing_rows, read_rows, titles_of
from benchmarks.servers import UrlsOf, serve_pages
from benchmarks.tree import measure

SHOWN = 5
WARM_UP_PAGES = 20


@dataclass(frozen=True)
class Contender:
    """One that does the job."""

    name: str
    kind: Literal["ours", "script", "go"]
    what: str
    """The config of ours, the script and its further arguments, or the program in Go; once compiled, its path."""
    share: float = 1.0
    """Pages to scrape, as a part of what was asked: the slow get fewer, so that all take seconds."""

    def command(self, urls: Path, out: Path) -> list[str]:
        """The command that scrapes a list into a folder."""
        if self.kind == "ours":
            return ours(urls, self.what, out)
        if self.kind == "go":
            return [self.what, str(urls), str(out / "pages.jsonl")]
        name, *more = self.what.split()
        return script(name, urls, out / "pages.jsonl", *more)


CONTENDERS = (
    Contender("ours", "ours", "job.toml"),
    Contender("ours-long", "ours", "job.toml", share=5),
    Contender("floor", "script", "floor"),
    Contender("go", "go", "go_goquery"),
    Contender("aiohttp", "script", "aiohttp_selectolax"),
    Contender("httpx", "script", "httpx_selectolax"),
    Contender("scrapy", "script", "scrapy_tuned"),
    Contender("requests", "script", "requests_threads", share=0.1),
    Contender("ours-two", "ours", "two.toml"),
    Contender("floor-two", "script", "floor two"),
)


def run(bench: Bench) -> tuple[str, list[Case]]:
    """All contenders, rounds interleaved, so that what the machine does besides hits all of them."""
    with folders("pages", "server", "work", "programs") as (pages_folder, server, work, programs):
        contenders = ready(bench, CONTENDERS, programs)
        pages = make_pages(pages_folder)
        with serve_pages(pages, server) as (urls_of, what):
            cases = race(bench, contenders, urls_of, work)
        return f"{pages.describe(bench.pages)} from {what}; 64 connections, {bench.rounds} rounds", cases


def ready(bench: Bench, contenders: tuple[Contender, ...], programs: Path) -> tuple[Contender, ...]:
    """The contenders that are to run, those in Go compiled into a folder; told and left out where that cannot be."""
    wanted = tuple(contender for contender in contenders if bench.wants(contender.name))
    in_go = [contender for contender in wanted if contender.kind == "go"]
    why = lacking() if in_go else None
    if why is not None:
        bench.say(f"{', '.join(contender.name for contender in in_go)} left out: {why}")
        return tuple(contender for contender in wanted if contender not in in_go)
    return tuple(_compiled(contender, programs) for contender in wanted)


def _compiled(contender: Contender, programs: Path) -> Contender:
    return replace(contender, what=str(build(contender.what, programs))) if contender.kind == "go" else contender


def race(bench: Bench, contenders: tuple[Contender, ...], urls_of: UrlsOf, work: Path) -> list[Case]:
    """Run contenders in turn; BenchError where one wrote other titles than the first, or not one row for each URL."""
    wanted = [contender for contender in contenders if bench.wants(contender.name)]
    for contender in wanted:  # compiles modules and fills the page cache
        measure(_command(contender, urls_of(WARM_UP_PAGES), work), cwd=work, environment=environment())
    cases: list[Case] = []
    expected: Titles = {}
    for number in range(1, bench.rounds + 1):
        bench.say(f"round {number}")
        for contender in wanted:
            urls = urls_of(max(1, round(bench.pages * contender.share)))
            run = bench.measure(contender.name, len(urls), _command(contender, urls, work), work)
            add_run(cases, contender.name, len(urls), run)
            expected |= check_rows(contender.name, urls, work / contender.name / "pages.jsonl", expected)
    return cases


def _command(contender: Contender, urls: list[str], work: Path) -> list[str]:
    out = work / contender.name
    out.mkdir(exist_ok=True)
    return contender.command(write_list(work, urls), out)


def check_rows(name: str, urls: list[str], rows_file: Path, expected: Titles) -> Titles:
    """The titles a contender wrote; BenchError where they are not those expected or rows are missing."""
    rows = read_rows(rows_file)
    titles = titles_of(rows)
    wrong = missing_rows(urls, rows) + differences(urls, expected, titles)
    if wrong:
        shown = "\n".join(wrong[:SHOWN])
        raise BenchError(f"{name} did another job than the others, on {len(wrong):,} pages:\n{shown}")
    return titles
