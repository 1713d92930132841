"""`scraper site`: options become a site, and an interrupt ends it quietly."""

import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from scraper.cli.site import site
from scraper.errors import UsageError
from scraper.site import server
from scraper.site.options import SiteOptions


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.setattr(server, "serve", lambda options, host, port, ready: calls.append((options, host, port)))
    return calls


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(site)
    return CliRunner().invoke(app, arguments)


def test_without_options_it_is_the_documented_default(served: list[Any]) -> None:
    assert run().exit_code == 0
    assert served == [(SiteOptions(), "127.0.0.1", 8000)]


def test_options_take_units(served: list[Any]) -> None:
    run("--port", "0", "--pages", "7", "--seed", "2", "--size", "40KiB", "--latency", "50ms", "--jitter", "20ms")
    run("--host", "::1", "--slow", "0.1", "--slow-for", "1s", "--not-found", "0.2", "--rate-limited", "0.3")
    run("--flaky", "0.1", "--cut", "0.2", "--redirect", "0.3")
    assert served == [
        (SiteOptions(pages=7, seed=2, size_bytes=40 << 10, latency_s=0.05, jitter_s=0.02), "127.0.0.1", 0),
        (SiteOptions(slow=0.1, slow_s=1, not_found=0.2, rate_limited=0.3), "::1", 8000),
        (SiteOptions(flaky=0.1, cut=0.2, redirect=0.3), "127.0.0.1", 8000),
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--latency", "ten"), "--latency"),
        (("--size", "big"), "--size"),
        (("--slow-for", "-1s"), "--slow-for"),
        (("--cut", "0.8", "--flaky", "0.3"), "flaky 0.3 + cut 0.8 is more than 1"),
        (("--cut", "2"), "cut is 2.0"),
    ],
)
def test_a_bad_value_is_one_line_that_names_it(served: list[Any], arguments: tuple[str, ...], named: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, UsageError)
    assert named in str(result.exception)
    assert "\n" not in str(result.exception)
    assert served == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_an_interrupt_ends_the_site_without_a_traceback() -> None:
    code = "import typer; from scraper.cli.site import site; typer.run(site)"
    with subprocess.Popen(
        [sys.executable, "-c", code, "--port", "0", "--pages", "10"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{url}shop/item/1").status_code == 200
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Ctrl-C" in said
    assert "Traceback" not in said
