"""Secrets in URLs, headers and proxies: used, and then found in no file, on no stream and with no other origin."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

SECRET = "s3cret"


@pytest.fixture
def elsewhere() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


def all_bytes(folder: Path) -> bytes:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"failures.jsonl", "journal"} <= {path.name for path in files}
    return b"\n".join(path.name.encode() + b"\n" + path.read_bytes() for path in files)


def dead_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_no_secret_is_written_anywhere(
    cli: Any, httpserver: HTTPServer, elsewhere: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", f"{SECRET}-token")
    here, there = f"127.0.0.1:{httpserver.port}", f"127.0.0.1:{elsewhere.port}"
    for server in (httpserver, elsewhere):
        server.expect_request("/robots.txt").respond_with_data("", 404)
    httpserver.expect_request("/page").respond_with_data("<title>x</title>", content_type="text/html")
    leads_away = {"Location": f"http://eve:{SECRET}-there@{there}/page"}
    httpserver.expect_request("/away").respond_with_data("", 302, leads_away)
    httpserver.expect_request("/odd").respond_with_data("", 302, {"Location": f"ftp://eve:{SECRET}-odd@{there}/page"})
    elsewhere.expect_request("/page").respond_with_data("<title>y</title>", content_type="text/html")
    login = f"joe:{SECRET}-url"
    urls = [
        f"http://{login}@{here}/page",
        f"http://{login}@{here}/away",
        f"http://{login}@{here}/odd",
        f"http://{login}@{here}/none",
        f"http://{login}@127.0.0.1:{dead_port()}/",
        f"http://{login}@bad host/",
        f"ftp://{login}@{here}/",
        f"{login}@{here}/page",
    ]
    result = cli(
        "run",
        cli.write_list(urls),
        *("--set", "fetch.headers.X-Api-Key=$TOKEN"),
        *("--set", "fetch.retries=0", "--set", "fetch.cookies=true", "--set", "fetch.keep_bodies=true"),
        *("--set", "network.private_addresses=allow"),
    )
    assert result.code == 0
    assert len(cli.rows()) == 2
    assert SECRET not in result.out + result.err
    assert SECRET.encode() not in all_bytes(cli.folder / "output")
    asked_here = [request for request, _ in httpserver.log if request.path == "/away"]
    assert asked_here[0].headers["X-Api-Key"] == f"{SECRET}-token"
    assert asked_here[0].authorization.password == f"{SECRET}-url"
    for request, _ in elsewhere.log:
        assert SECRET not in str(request.headers)
    assert any(request.path == "/page" for request, _ in elsewhere.log)


def test_a_proxy_that_fails_is_named_without_its_login(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", f"{SECRET}/@:")
    proxies = (
        f'["http://joe:$PROXY_PASSWORD@127.0.0.1:{dead_port()}", "socks5h://joe:{SECRET}@127.0.0.1:{dead_port()}"]'
    )
    result = cli(
        "run",
        cli.write_list(["http://a.example/", "https://b.example/"]),
        *("--set", f"fetch.proxy={proxies}", "--set", "fetch.retries=0", "--set", "politeness.robots=false"),
    )
    assert result.code == 0
    assert [failure["error"] for failure in cli.failures()] == ["connect", "connect"]
    assert "all 2 of fetch.proxy are left alone" in cli.failures()[0]["message"]
    assert "looks up host names" in result.err
    assert SECRET not in result.out + result.err
    assert SECRET.encode() not in all_bytes(cli.folder / "output")


def test_check_shows_names_of_variables_and_no_secret(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    settings = ("--set", "fetch.headers.X-Key=$TOKEN", "--set", f"fetch.proxy=http://joe:{SECRET}@a.example:1")
    result = cli("check", *settings)
    assert result.code == 0
    assert 'X-Key = "$TOKEN"' in result.out
    assert 'proxy = "http://***@a.example:1"' in result.out
    assert SECRET not in result.out + result.err


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("fetch.ca_file=gone.pem", 'fetch.ca_file = "gone.pem": cannot be read: No such file'),
        ("fetch.client_cert=urls.txt", 'fetch.client_cert = "urls.txt": holds no certificate'),
        ("fetch.proxy=http://a.example", 'expected "http://host:port"'),
        ("fetch.headers.X=$NO_SUCH_VARIABLE", "the environment variable NO_SUCH_VARIABLE is not set"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_what_cannot_be_used_is_told_in_one_line_before_anything_is_fetched(
    command: str, setting: str, words: str, cli: Any
) -> None:
    listed = [cli.write_list(["https://a.example/"])] if command == "run" else []
    cli.write_list(["https://a.example/"])
    result = cli(command, *listed, "--set", setting)
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert words in result.err
    assert not (cli.folder / "output").exists()


def test_unchecked_certificates_are_told_once(cli: Any) -> None:
    url = f"https://127.0.0.1:{dead_port()}/"
    arguments = ("run", url, "--set", "fetch.verify_tls=false", "--set", "fetch.retries=0")
    result = cli(*arguments, "--no-progress")
    assert result.code == 0
    assert result.err.count("nobody checks certificates") == 1
    assert "certificates" not in cli(*arguments, "--quiet", "-o", "other").err
