"""Pages that cost CPU: the main text of real articles, by two processes and by one."""

from benchmarks.bench import HERE, Bench, add_run, folders, ours, script, write_list
from benchmarks.results import Case
from benchmarks.scenarios.job import check_rows
from benchmarks.scenarios.real import real_pages
from benchmarks.servers import serve_pages

CONFIG = "article.toml"
SHARE = 4


def run(bench: Bench) -> tuple[str, list[Case]]:
    """The tool with as many parse processes as the machine has processors, with one, and one process for all."""
    cases: list[Case] = []
    with folders("pages", "server", "work") as (pages_folder, server, work):
        pages = real_pages(pages_folder, "article-*.html.gz")
        count = max(1, bench.pages // SHARE)
        with serve_pages(pages, server) as (urls_of, what):
            urls = urls_of(count)
            listed, out = write_list(work, urls), work / "out"
            out.mkdir()
            commands = {
                "ours": ours(listed, CONFIG, out),
                "ours, 1 parse process": ours(listed, CONFIG, out, "--set", "parse.processes=1"),
                "one process": script("inline", listed, out / "pages.jsonl", str(HERE / CONFIG)),
            }
            for _ in range(bench.rounds):
                for name, command in commands.items():
                    add_run(cases, name, count, bench.measure(name, count, command, work))
                    check_rows(name, urls, out / "pages.jsonl", {})
        return f"article text of {pages.describe(count)} from {what}; {bench.rounds} rounds", cases
