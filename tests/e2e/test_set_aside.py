"""A server that fails again and again does not hold the run up."""

import socket

from scraper.site.options import SiteOptions
from scraper.site.server import running_site


def test_a_dead_hosts_urls_end_at_once_after_eight_failures_in_a_row(cli):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        urls = [f"http://127.0.0.1:{sock.getsockname()[1]}/{number}" for number in range(40)]
        settings = ("fetch.retries=0", "politeness.robots=false", "politeness.per_host=1")
        arguments = [part for setting in settings for part in ("--set", setting)]
        assert cli("run", cli.write_list(urls), *arguments).code == 0
    failures = cli.failures()
    assert {failure["error"] for failure in failures} == {"connect"}
    assert len(failures) == 40
    aside = [failure for failure in failures if "was set aside after 8 failures in a row" in failure["message"]]
    assert len(aside) == 32
    assert {failure["attempts"] for failure in aside} == {0}


def test_dead_ports_of_a_host_leave_its_healthy_ones_alone(cli):
    with socket.socket() as sock, running_site(SiteOptions(pages=60)) as site:
        sock.bind(("127.0.0.1", 0))
        dead = [f"http://127.0.0.1:{sock.getsockname()[1]}/{number}" for number in range(20)]
        healthy = [f"{site.url}/shop/item/{number}" for number in range(1, 31)]
        settings = ("fetch.retries=0", "politeness.robots=false", "politeness.adaptive=false")
        arguments = [part for setting in settings for part in ("--set", setting)]
        assert cli("run", cli.write_list(dead + healthy), *arguments).code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(healthy)
    assert sorted(failure["url"] for failure in cli.failures()) == sorted(dead)
