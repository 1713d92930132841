"""The address guard with an injected resolver: what a job may connect to. Nothing is connected to here."""

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from scraper.fetch.resolver import AddressGuard
from scraper.records import Fault, Job

MakeJob = Callable[..., Job]


class Names:
    """A resolver over a table, counting its questions."""

    def __init__(self, **hosts: tuple[str, ...] | OSError) -> None:
        self._hosts = {name.replace("_", "."): answer for name, answer in hosts.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        answer = self._hosts[host]
        if isinstance(answer, OSError):
            raise answer
        return answer


async def test_a_public_name_gives_its_addresses_in_order(job_for: MakeJob) -> None:
    async with AddressGuard("listed", Names(a_example=("8.8.8.8", "2606:4700::1"))) as guard:
        assert await guard.addresses(job_for("http://a.example/")) == ("8.8.8.8", "2606:4700::1")


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
async def test_a_name_that_leads_to_a_private_address_is_blocked(job_for: MakeJob, ip: str) -> None:
    async with AddressGuard("listed", Names(a_example=(ip,))) as guard:
        found = await guard.addresses(job_for("http://a.example/"))
    assert isinstance(found, Fault)
    assert found.kind == "blocked_address"
    assert ip in found.message


async def test_of_a_mixed_answer_http_uses_the_public_part_and_https_nothing(job_for: MakeJob) -> None:
    async with AddressGuard("listed", Names(a_example=("10.0.0.1", "8.8.8.8"))) as guard:
        assert await guard.addresses(job_for("http://a.example/")) == ("8.8.8.8",)
        over_tls = await guard.addresses(job_for("https://a.example/"))
    assert isinstance(over_tls, Fault)
    assert over_tls.kind == "blocked_address"


@pytest.mark.parametrize(
    ("target", "url", "allowed"),
    [
        ("http://127.0.0.1/", "http://127.0.0.1/", True),
        ("http://127.0.0.1/", "http://127.0.0.1:8080/x", True),
        ("http://127.0.0.1/", "https://127.0.0.1/", True),
        ("http://127.0.0.1/", "http://127.0.0.2/", False),
        ("http://127.0.0.1/", "http://[::1]/", False),
        ("http://127.0.0.1/", "http://localhost/", False),
        ("http://localhost/", "http://localhost:81/", True),
        ("http://8.8.8.8/", "http://169.254.169.254/latest/meta-data/", False),
        ("http://8.8.8.8/", "http://2852039166/", False),  # WHATWG: the same address
        ("http://8.8.8.8/", "http://0xa9fea9fe/", False),
        ("http://8.8.8.8/", "http://1.1.1.1/", True),
    ],
)
async def test_a_redirect_may_lead_to_the_listed_host_and_to_public_ones(
    job_for: MakeJob, target: str, url: str, allowed: bool
) -> None:
    from scraper import weburl

    href = weburl.resolve(target, url)
    assert href is not None
    async with AddressGuard("listed", Names()) as guard:
        found = await guard.addresses(job_for(href, target_url=target, hop=1))
    assert isinstance(found, tuple) == allowed
    assert allowed or (isinstance(found, Fault) and found.kind == "blocked_address")


async def test_deny_refuses_even_what_is_listed(job_for: MakeJob) -> None:
    async with AddressGuard("deny", Names()) as guard:
        found = await guard.addresses(job_for("http://127.0.0.1/"))
    assert isinstance(found, Fault)
    assert "deny" in found.message


async def test_allow_asks_nobody(job_for: MakeJob) -> None:
    names = Names()
    async with AddressGuard("allow", names) as guard:
        assert await guard.addresses(job_for("http://a.example/")) == ()
    assert names.asked == []


async def test_localhost_names_are_loopback_without_a_lookup(job_for: MakeJob) -> None:
    async with AddressGuard("listed", Names()) as guard:
        assert await guard.addresses(job_for("http://shop.localhost/")) == ("127.0.0.1", "::1")


async def test_a_name_without_address_is_a_dns_fault_and_is_remembered(job_for: MakeJob) -> None:
    names = Names(gone_example=socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    async with AddressGuard("listed", names) as guard:
        for _ in range(3):
            found = await guard.addresses(job_for("http://gone.example/"))
            assert isinstance(found, Fault)
            assert found.kind == "dns"
            assert "gone.example" in found.message
    assert names.asked == ["gone.example"]


async def test_a_passing_fault_is_asked_again(job_for: MakeJob) -> None:
    names = Names(slow_example=socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    async with AddressGuard("listed", names) as guard:
        for _ in range(2):
            assert isinstance(await guard.addresses(job_for("http://slow.example/")), Fault)
    assert len(names.asked) == 2


async def test_those_who_ask_together_share_one_lookup_and_cancelling_one_leaves_the_others(job_for: MakeJob) -> None:
    begun, go_on = threading.Event(), threading.Event()
    asked: list[str] = []

    def lookup(host: str) -> tuple[str, ...]:
        asked.append(host)
        begun.set()
        go_on.wait(5)
        return ("8.8.8.8",)

    async with AddressGuard("listed", lookup) as guard, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(guard.addresses(job_for("http://a.example/"))) for _ in range(5)]
        await asyncio.to_thread(begun.wait, 5)
        asking[0].cancel()
        await asyncio.sleep(0)
        go_on.set()
    assert asked == ["a.example"]
    assert asking[0].cancelled()
    assert [task.result() for task in asking[1:]] == [("8.8.8.8",)] * 4


async def test_an_address_that_does_not_answer_goes_to_the_end(job_for: MakeJob) -> None:
    async with AddressGuard("listed", Names(a_example=("8.8.8.8", "1.1.1.1"))) as guard:
        job = job_for("http://a.example/")
        await guard.addresses(job)
        guard.prefer_others("a.example", "8.8.8.8")
        assert await guard.addresses(job) == ("1.1.1.1", "8.8.8.8")
