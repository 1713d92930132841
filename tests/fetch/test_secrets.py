"""Secrets and cookies on their way through redirects: each origin gets its own and no other, on both wires."""

from collections.abc import Callable
from typing import Any

import pytest

from scraper import weburl
from scraper.fetch.body import Unbounded
from scraper.fetch.requests import HeaderSheet, Sheet, with_cookies
from scraper.records import Job, Page, Redirect

MakeJob = Callable[..., Job]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"
SECRETS = {
    "Authorization": "Bearer t",
    "Cookie": "id=1",
    "X-Api-Key": "k",
    "Referer": "https://inside.example/",
    "X": "y",
}
OWN = "https://a.example/start"


def answer(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "", ""]).encode()


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://a.example/elsewhere", True),
        ("https://a.example:443/x".replace(":443", ""), True),
        ("http://a.example/start", False),
        ("https://a.example:8443/start", False),
        ("https://www.a.example/start", False),
        ("https://a.example.evil.example/start", False),
        ("https://b.example/?https://a.example/", False),
    ],
)
def test_what_the_user_configured_stays_on_its_origin(url: str, is_own: bool, job_for: MakeJob) -> None:
    """Scrapy GHSA-cw9j-q3vf-hrrv, GHSA-4qqq-9vqf-3h3f; httpx hands X-Api-Key on."""
    sheet = HeaderSheet("agent", "gzip", SECRETS)
    job = job_for(url, target_url=OWN, hop=1, userinfo="joe:pw")
    headers = sheet.headers_for(job, weburl.split(url).host)
    assert [name for name in SECRETS if name in headers] == (list(SECRETS) if is_own else [])
    assert ("authorization" in headers) is is_own
    plain = sheet.headers_for(job_for(url, target_url=OWN, hop=1), "h")
    assert plain.get("authorization") == ("Bearer t" if is_own else None)


def test_a_jars_cookies_follow_those_of_the_user_and_change_nothing_shared() -> None:
    shared = Sheet({"Cookie": "mine=1"})
    assert with_cookies(shared, "jar=2")["cookie"] == "mine=1; jar=2"
    assert with_cookies(Sheet(), "jar=2")["cookie"] == "jar=2"
    assert with_cookies(shared, "") is shared
    assert shared["cookie"] == "mine=1"


class TestCookies:
    async def test_they_are_set_on_every_hop_and_come_back(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(
            answer("Set-Cookie: hop=1", "Set-Cookie: too=2; Path=/", "Location: /in", status="302 Found"),
            answer("Set-Cookie: gone=3", status="404 Not Found"),
            OK,
            keep=True,
        )
        client = await make_client(transport=wire, cookies=True)
        assert isinstance(await client.fetch(job_for(server.url), Unbounded()), Redirect)
        await client.fetch(job_for(server.url + "in", hop=1), Unbounded())
        assert server.head("Cookie") == "hop=1; too=2"
        await client.fetch(job_for(server.url), Unbounded())
        assert server.head("Cookie") == "hop=1; too=2; gone=3"

    async def test_no_other_host_gets_them(self, wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
        server = await serve(answer("Set-Cookie: a=1; Domain=localhost", "Set-Cookie: b=2"), keep=True)
        client = await make_client(transport=wire, cookies=True, headers={"Cookie": "mine=1"})
        for host in ("x.localhost", "y.localhost", "127.0.0.1", "x.localhost"):
            await client.fetch(job_for(f"http://{host}:{server.port}/"), Unbounded())
        sent = [server.head("Cookie", n) for n in range(4)]
        assert sent == ["mine=1", "mine=1", "mine=1", "mine=1; b=2"]

    async def test_one_that_is_not_ascii_costs_at_most_itself(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(answer("Set-Cookie: a=1", "Set-Cookie: b=caf\u00e9", "Set-Cookie: c=3"), keep=True)
        client = await make_client(transport=wire, cookies=True)
        for _ in range(3):
            page = await client.fetch(job_for(server.url), Unbounded())
            assert isinstance(page, Page), page
        assert {"a=1", "c=3"} <= set(server.head("Cookie").split("; "))

    async def test_one_that_is_not_ascii_can_be_sent_back(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        """A head of more than 100 lines comes over httpx's wire, which can read such a cookie."""
        server = await serve(answer("Set-Cookie: b=caf\u00e9", *(f"X-{n}: a" for n in range(101))), keep=True)
        client = await make_client(transport=wire, cookies=True)
        for _ in range(2):
            page = await client.fetch(job_for(server.url), Unbounded())
            assert isinstance(page, Page), page
        assert "b=caf\u00c3\u00a9" in server.head("Cookie")  # UTF-8, as it came

    async def test_without_the_setting_none_is_kept(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(answer("Set-Cookie: a=1"), keep=True)
        client = await make_client(transport=wire)
        for _ in range(2):
            await client.fetch(job_for(server.url), Unbounded())
        assert server.head("Cookie") is None

    async def test_a_bomb_of_cookies_costs_neither_the_page_nor_the_next(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(answer(*(f"Set-Cookie: c{n}={'x' * 900}" for n in range(90))), OK, keep=True)
        client = await make_client(transport=wire, cookies=True)
        assert isinstance(await client.fetch(job_for(server.url), Unbounded()), Page)
        assert isinstance(await client.fetch(job_for(server.url), Unbounded()), Page)
        assert 7000 < len(server.head("Cookie")) <= 8190
