"""The main scenario: the same pages scraped by every contender in turn, round after round, and their rows compared."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.bench import Bench, BenchError, add_run, environment, folders, ours, script, write_list
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
    kind: Literal["ours", "script"]
    what: str
    """The config of ours, or the script and its further arguments."""
    share: float = 1.0
    """Pages to scrape, as a part of what was asked: the slow get fewer, so that all take seconds."""

    def command(self, urls: Path, out: Path) -> list[str]:
        """The command that scrapes a list into a folder."""
        if self.kind == "ours":
            return ours(urls, self.what, out)
        name, *more = self.what.split()
        return script(name, urls, out / "pages.jsonl", *more)


CONTENDERS = (
    Contender("ours", "ours", "job.toml"),
    Contender("ours-long", "ours", "job.toml", share=5),
    Contender("floor", "script", "floor"),
    Contender("aiohttp", "script", "aiohttp_selectolax"),
    Contender("httpx", "script", "httpx_selectolax"),
    Contender("scrapy", "script", "scrapy_tuned"),
    Contender("requests", "script", "requests_threads", share=0.1),
    Contender("ours-two", "ours", "two.toml"),
    Contender("floor-two", "script", "floor two"),
)


def run(bench: Bench) -> tuple[str, list[Case]]:
    """All contenders, rounds interleaved, so that what the machine does besides hits all of them."""
    with folders("pages", "server", "work") as (pages_folder, server, work):
        pages = make_pages(pages_folder)
        with serve_pages(pages, server) as (urls_of, what):
            cases = race(bench, CONTENDERS, urls_of, work)
        return f"{pages.describe(bench.pages)} from {what}; 64 connections, {bench.rounds} rounds", cases


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
