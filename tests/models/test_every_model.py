"""What holds for every model of running: the same rows and failures, an orderly end, a resume, the hosts' limits."""

import json
import os
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import get_args

import pytest

from scraper.config.sections import Model
from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from tests.conftest import Cli
from tests.outside import children_of, is_alive, wait_until

MODELS = get_args(Model)
WALLED = ("hybrid", "processes", "sharded")
"""In these a page cannot hurt another one, whatever it does to its process."""
COUNT = 60

HARM = """
import os, time
def extract(page, tree):
    harm = page.url.rpartition("/")[2]
    if harm == "2": os.kill(os.getpid(), 11)
    if harm == "3": time.sleep(60)
    if harm == "4": bytearray(3 << 30)
    return {"seen": harm}
"""
HANG = """
def extract(page, tree):
    while page.url.endswith("/3"): pass
    return {"seen": page.url}
"""


@pytest.fixture(scope="module")
def rough_site():
    options = SiteOptions(
        pages=4 * COUNT, latency_s=0.01, not_found=0.1, flaky=0.05, redirect=0.1, cut=0.05, rate_limited=0.02
    )
    with running_site(options) as site:
        yield [f"{site.url}/shop/item/{number}" for number in range(1, COUNT + 1)]


@pytest.fixture(scope="module")
def slow_site():
    with running_site(SiteOptions(pages=400, latency_s=0.05)) as site:
        yield [f"{site.url}/shop/item/{number}" for number in range(1, 201)]


def run(cli: Cli, model: str, *arguments: str):
    return cli("run", *arguments, "--no-progress", "--set", f"run.model={model}", "--set", "fetch.backoff=20ms")


def told(cli: Cli) -> tuple[list[dict], list[tuple]]:
    rows = [{key: value for key, value in row.items() if key != "fetched_at"} for row in cli.rows()]
    failures = [(line["url"], line["error"], line["attempts"], line["message"]) for line in cli.failures()]
    return sorted(rows, key=lambda row: row["url"]), sorted(failures)


@pytest.fixture(scope="module")
def expected(rough_site, tmp_path_factory):
    cli = Cli(tmp_path_factory.mktemp("hybrid"))
    assert run(cli, "hybrid", cli.write_list(rough_site)).code == 0
    return told(cli)


@pytest.mark.parametrize("model", [model for model in MODELS if model != "hybrid"])
def test_rows_and_failures_are_the_hybrids(model, cli, rough_site, expected):
    assert run(cli, model, cli.write_list(rough_site)).code == 0
    rows, failures = told(cli)
    assert len(rows) > COUNT / 2
    assert failures
    assert (rows, failures) == expected


@pytest.mark.parametrize("model", MODELS)
def test_killed_or_interrupted_it_resumes_and_each_url_ends_once(model, cli, slow_site):
    settings = ("--no-progress", "--set", f"run.model={model}", "--set", "write.commit_every=20ms")
    settings += ("--set", "fetch.concurrency=8", "--set", "parse.processes=2")
    source, rows = cli.write_list(slow_site), cli.folder / "output" / "pages.jsonl"
    with cli.start("run", source, *settings) as process:
        wait_until(lambda: rows.exists() and rows.stat().st_size > 10_000)
        others = children_of(process.pid)
        process.kill()
    wait_until(lambda: not any(map(is_alive, others)))  # no orphan is left
    done = len(rows.read_bytes().splitlines())
    assert 0 < done < 200
    with cli.start("run", source, *settings) as process:
        wait_until(lambda: len(rows.read_bytes().splitlines()) > done + 10)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 3
    interrupted = cli.summary()
    assert not interrupted["finished"]
    assert interrupted["unfinished"] + interrupted["ok"] <= 200
    assert cli("run", source, *settings).code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(slow_site)


@pytest.mark.parametrize("model", MODELS)
def test_page_that_kills_or_hangs_or_overfills_its_process_fails_alone(model, cli, slow_site):
    (cli.folder / "harm.py").write_text(HARM)
    settings = ("parse.function=harm:extract", "parse.timeout=1s", "parse.max_memory=512MiB", "parse.processes=2")
    result = run(cli, model, cli.write_list(slow_site[:8]), *(word for each in settings for word in ("--set", each)))
    assert result.code == 0, result.err
    kinds = {failure["url"].rpartition("/")[2]: failure["error"] for failure in cli.failures()}
    assert kinds == {"2": "parse_crash", "3": "parse_timeout", "4": "parse_memory"}
    assert {failure["status"] for failure in cli.failures()} == {200}
    assert sorted(row["seen"] for row in cli.rows()) == ["1", "5", "6", "7", "8"]


@pytest.mark.parametrize("model", MODELS)
def test_what_a_page_prints_is_no_part_of_the_answer(model, cli, slow_site):
    (cli.folder / "talk.py").write_text("def extract(page, tree):\n    print('hello')\n    return {'seen': page.url}\n")
    result = run(cli, model, cli.write_list(slow_site[:3]), "--json", "--set", "parse.function=talk:extract")
    assert json.loads(result.out)["ok"] == 3
    assert result.err.count("hello") == 3


@pytest.mark.parametrize("model", ["asyncio", "asyncio-threads", "threads"])
def test_python_code_that_does_not_end_fails_alone_where_nothing_walls_it_in(model, cli, slow_site):
    (cli.folder / "harm.py").write_text(HANG)
    settings = ("--set", "parse.function=harm:extract", "--set", "parse.timeout=300ms")
    assert run(cli, model, cli.write_list(slow_site[:6]), *settings).code == 0
    assert [(line["url"][-2:], line["error"]) for line in cli.failures()] == [("/3", "parse_timeout")]
    assert len(cli.rows()) == 5


@pytest.mark.parametrize("model", MODELS)
def test_delay_holds_for_each_host_and_hosts_go_side_by_side(model, cli, slow_site):
    port = slow_site[0].split(":")[2].split("/")[0]
    urls = [f"http://{host}.localhost:{port}/shop/item/{n}" for n in range(1, 6) for host in "abcdefgh"]
    settings = ("--set", "politeness.delay=300ms", "--set", "parse.processes=2")
    result = run(cli, model, cli.write_list(urls), "--json", *settings)
    assert result.code == 0, result.err
    summary = json.loads(result.out)
    assert summary["ok"] == 40
    assert 4 * 0.3 <= summary["seconds"] < 8 * 4 * 0.3  # five of each host, robots.txt and then one after the other
    ends: defaultdict[str, list[datetime]] = defaultdict(list)
    for row in cli.rows():
        ends[row["url"].split("/")[2]].append(datetime.fromisoformat(row["fetched_at"]))
    assert len(ends) == 8
    spans = [max(times) - min(times) for times in ends.values()]
    assert min(spans) > timedelta(seconds=2 * 0.3), "half of four delays: when an answer is taken up says less exactly"


@contextmanager
def cookie_site() -> Iterator[tuple[int, dict[str, str]]]:
    """A site that sets a cookie for its domain at /set, and notes what each host is sent at other paths."""
    seen: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "0")
            if self.path == "/set":
                self.send_header("Set-Cookie", "seen=1; Domain=a.localhost; Path=/")
            else:
                seen[self.headers["Host"].split(".")[0]] = self.headers.get("Cookie", "")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("model", [model for model in MODELS if model != "processes"])
def test_cookie_for_a_domain_is_sent_to_all_its_hosts(model, cli):
    at_once = 2 if model == "sharded" else 1  # one in each shard
    settings = ("--set", "fetch.cookies=true", "--set", "politeness.robots=false", "--set", "parse.processes=2")
    settings += ("--set", f"fetch.concurrency={at_once}")
    with cookie_site() as (port, seen):
        urls = [f"http://{host}.a.localhost:{port}/page" for host in "bcdefgh"]
        source = cli.write_list([f"http://x.a.localhost:{port}/set", *urls])
        assert run(cli, model, source, *settings).code == 0
        assert seen == dict.fromkeys("bcdefgh", "seen=1")


@pytest.mark.parametrize("model", ["sharded", "processes"])
def test_process_that_is_killed_or_stopped_from_outside_costs_no_page(model, cli, slow_site):
    settings = (
        "--no-progress",
        "--set",
        f"run.model={model}",
        "--set",
        "parse.processes=2",
        "--set",
        "fetch.timeout=1s",
    )
    settings += ("--set", "parse.timeout=500ms", "--set", "fetch.concurrency=8")
    rows = cli.folder / "output" / "pages.jsonl"
    with cli.start("run", cli.write_list(slow_site), "--set", "write.commit_every=20ms", *settings) as process:
        wait_until(lambda: rows.exists() and rows.stat().st_size > 10_000)
        first, second = children_of(process.pid)
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGSTOP)
        process.communicate(timeout=40)
        assert process.returncode == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(slow_site)
    assert not any(map(is_alive, (first, second)))
