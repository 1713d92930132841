"""`python -m benchmarks.workloads [NAME ...]`: `scraper compare` on six kinds of pages, for docs/choosing-a-model.md.

Each workload serves its pages on this machine and runs the command that a user would; what it prints is what the guide
shows. `--write` puts it there.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench import HERE, REAL_PAGES, ROOT, folders, write_list
from benchmarks.pages import PageFolder, render_site
from benchmarks.scenarios.real import real_pages
from benchmarks.scenarios.tls import HOSTS, listen_lines
from benchmarks.servers import delay_server, find_nginx, free_port, nginx, serve_pages

GUIDE = ROOT / "docs" / "choosing-a-model.md"
LARGE_BYTES = 290_000
"""The mean size of a web page's HTML, as the real pages have it."""


class Served(NamedTuple):
    """Pages that are being served."""

    urls: list[str]
    settings: list[str]


class Workload(NamedTuple):
    """A kind of pages, and what is done with them."""

    title: str
    serve: Callable[[int], AbstractContextManager[Served]]
    config: str
    pages: int


@contextmanager
def light(count: int) -> Iterator[Served]:
    """Pages of 4 to 8 KB."""
    with folders("pages", "server") as (folder, server), serve_pages(render_site(folder, None), server) as (urls_of, _):
        yield Served(urls_of(count), [])


@contextmanager
def heavy(count: int) -> Iterator[Served]:
    """Whole web pages, or pages of the practice site of their size."""
    with folders("pages", "server") as (folder, server):
        pages = real(folder, "*.html.gz")
        with serve_pages(pages, server) as (urls_of, _):
            yield Served(urls_of(count), [])


@contextmanager
def articles(count: int) -> Iterator[Served]:
    """Articles, whose main text is looked for."""
    with folders("pages", "server") as (folder, server):
        pages = real(folder, "article-*.html.gz")
        with serve_pages(pages, server) as (urls_of, _):
            yield Served(urls_of(count), [])


def real(folder: Path, pattern: str) -> PageFolder:
    """Real pages where there are some."""
    if REAL_PAGES.is_dir() and find_nginx():
        return real_pages(folder, pattern)
    return render_site(folder, LARGE_BYTES)


@contextmanager
def slow(count: int) -> Iterator[Served]:
    """A server 100 ms away."""
    with delay_server(0.1, 4000) as server:
        yield Served([f"{server.url}/{number}" for number in range(count)], [])


@contextmanager
def tls(count: int) -> Iterator[Served]:
    """A hundred https hosts, and a new connection for each page."""
    with folders("pages", "server") as (folder, server):
        pages, port = render_site(folder, None), free_port()
        hosts = [f"127.0.1.{number}:{port}" for number in range(1, HOSTS + 1)]
        with nginx(folder, server, listen_lines(hosts, server), keepalive_s=0):
            paths = pages.paths(count)
            urls = [f"https://{hosts[number % HOSTS]}{path}" for number, path in enumerate(paths)]
            yield Served(urls, [f"fetch.ca_file={server / 'ca.pem'}"])


@contextmanager
def polite(count: int) -> Iterator[Served]:
    """One host that is asked 50 times a second."""
    with delay_server(0.02, 4000) as server:
        yield Served([f"{server.url}/{number}" for number in range(count)], ["politeness.delay=20ms"])


WORKLOADS = {
    "light": Workload("Light pages: 6 KB each, title and h1", light, "two.toml", 4000),
    "heavy": Workload("Heavy pages: whole web pages of some 290 KB, all default fields", heavy, "default.toml", 700),
    "articles": Workload("Very heavy pages: the main text of articles", articles, "article.toml", 240),
    "slow": Workload("A slow server: 100 ms away, 4 KB pages", slow, "two.toml", 2500),
    "tls": Workload("Many https hosts: 100 of them, a new connection for each page", tls, "two.toml", 2000),
    "polite": Workload("One polite host: a request every 20 ms", polite, "two.toml", 120),
}


def measure(name: str, rounds: int) -> str:
    """What `scraper compare` says of a workload."""
    workload = WORKLOADS[name]
    with folders("work") as (work,), workload.serve(workload.pages) as served:
        listed = write_list(work, served.urls)
        sets = [word for setting in served.settings for word in ("--set", setting)]
        command = ["compare", str(listed), "-c", str(HERE / workload.config), "-o", str(work / "out")]
        command += ["--rounds", str(rounds), "--limit", str(workload.pages), *sets]
        done = subprocess.run([sys.executable, "-m", "scraper", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{name}: scraper compare ended with {done.returncode}")
        return done.stdout.replace(str(listed), "urls.txt").replace(f"{work}/out", "output/compare")


def put(guide: str, name: str, text: str) -> str:
    """The guide with the text of a workload between its marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = guide.partition(begin)
    if not rest:
        raise SystemExit(f"{GUIDE}: has no place for {name}: put {begin} and {end} there")
    return f"{head}{begin}\n```text\n{text.strip()}\n```\n{end}{rest.partition(end)[2]}"


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(WORKLOADS)}; none: all")
    parser.add_argument("--rounds", type=int, default=5, help="trials of each model (5)")
    parser.add_argument("--write", action="store_true", help="put the figures into the guide")
    chosen = parser.parse_args()
    for name in chosen.names or WORKLOADS:
        if name not in WORKLOADS:
            parser.error(f"no workload {name!r}: choose of {', '.join(WORKLOADS)}")
        print(f"\n{WORKLOADS[name].title}\n", flush=True)
        text = measure(name, chosen.rounds)
        print(text, flush=True)
        if chosen.write:
            GUIDE.write_text(put(GUIDE.read_text(encoding="utf-8"), name, text), encoding="utf-8")


if __name__ == "__main__":
    main()
