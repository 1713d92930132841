"""A host that fails again and again does not hold the run up."""

import socket


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
