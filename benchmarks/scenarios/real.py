"""Title and h1 of real web pages, large ones: what the tool costs beyond the floor where a page is not small."""

import gzip
from pathlib import Path

from benchmarks.bench import REAL_PAGES, Bench, BenchError, folders
from benchmarks.pages import PageFolder, is_utf8
from benchmarks.results import Case
from benchmarks.scenarios.job import Contender, race
from benchmarks.servers import find_nginx, serve_pages

CONTENDERS = (Contender("ours-two", "ours", "two.toml"), Contender("floor-two", "script", "floor two"))


def run(bench: Bench) -> tuple[str, list[Case]]:
    """The tool and the floor."""
    with folders("pages", "server", "work") as (pages_folder, server, work):
        pages = real_pages(pages_folder, "*.html.gz")
        with serve_pages(pages, server) as (urls_of, what):
            cases = race(bench, CONTENDERS, urls_of, work)
        return f"{pages.describe(bench.pages)} from {what}; 64 connections, {bench.rounds} rounds", cases


def real_pages(folder: Path, pattern: str) -> PageFolder:
    """The real pages in UTF-8, unpacked. BenchError where they or nginx are not on this machine."""
    if not REAL_PAGES.is_dir() or find_nginx() is None:
        raise BenchError(f"needs nginx and real pages in {REAL_PAGES}")
    for path in sorted(REAL_PAGES.glob(pattern)):
        body = gzip.decompress(path.read_bytes())
        if is_utf8(body):
            (folder / path.stem).write_bytes(body)
    return PageFolder(folder, sorted(path.name for path in folder.iterdir()), "real web pages")
