"""What an archive keeps of an exchange, beside what really went over the wire."""

import doctest
from collections.abc import Callable
from typing import Any

from scraper.fetch import heads
from scraper.fetch.body import Unbounded
from scraper.records import Exchange, Job, Page

MakeJob = Callable[..., Job]
HEAD = (
    b"HTTP/1.1 200 Quite Fine\r\nX-Zeta: 1\r\nContent-Type: text/html\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\n"
    b"X-Name: caf\xe9\r\nContent-Length: 2\r\n\r\n"
)
KEPT = {
    "httpx": HEAD,
    "pyreqwest": b"HTTP/1.1 200 OK\r\nx-zeta: 1\r\ncontent-type: text/html\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"
    b"content-length: 2\r\n\r\n",
}
"""As docs/warc.md says: pyreqwest gives no case, no reason phrase and no value that is not ASCII."""
SECRETS = {"Authorization": "Bearer t", "Cookie": "id=1", "X-Api-Key": "k", "Referer": "https://inside.example/"}


def test_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(heads).failed == 0


async def fetched(client: Any, job: Job) -> Page:
    page = await client.fetch(job, Unbounded())
    assert isinstance(page, Page), page
    return page


async def exchange(client: Any, job: Job) -> Exchange:
    found = (await fetched(client, job)).exchange
    assert found is not None
    return found


async def test_answers_head_is_kept_as_far_as_the_wire_tells(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(HEAD + b"hi")
    client = await make_client(transport=wire, keep_heads=True)
    assert (await exchange(client, job_for(server.url))).response_head == KEPT[wire.removeprefix("blocking ")]


async def test_request_is_kept_as_it_was_sent(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(HEAD + b"hi")
    client = await make_client(transport=wire, keep_heads=True, headers={"Accept-Language": "de"})
    kept = await exchange(client, job_for(server.url + "a%20b?c=%C3%A9"))
    assert kept.request_head == server.requests[0]
    assert kept.ip == "127.0.0.1"


async def test_secrets_are_sent_and_not_kept(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(HEAD + b"hi")
    client = await make_client(transport=wire, keep_heads=True, headers=SECRETS)
    kept = await exchange(client, job_for(server.url, userinfo="joe:pw"))
    assert all(server.head(name) for name in SECRETS)
    names = {line.partition(b":")[0].lower() for line in kept.request_head.split(b"\r\n")[1:] if line}
    assert names <= heads.SHOWN


async def test_address_a_name_led_to_is_kept(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(HEAD + b"hi")
    client = await make_client(transport=wire, keep_heads=True)
    kept = await exchange(client, job_for(server.url.replace("127.0.0.1", "localhost")))
    assert kept.ip == "127.0.0.1"
    assert b"Host: localhost:" in kept.request_head


async def test_nothing_is_kept_unless_asked_for(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(HEAD + b"hi")
    assert (await fetched(await make_client(transport=wire), job_for(server.url))).exchange is None
