"""The shell around address.py: finds the addresses of a host, and says which of them a request may use.

Names are looked up by the system's getaddrinfo, in threads of our own: asyncio's default executor has few and is
shared with all else. Answers are kept for a minute, because getaddrinfo tells no time to live.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scraper.fetch.address import Policy, is_localhost, judge, literal, names_address, reachable_literal
from scraper.records import Fault, Job

ANSWER_S = 60.0
"""How long addresses, and names that do not exist, are remembered. What may be a passing fault is not."""
MOST_HOSTS = 10_000
"""Some 4 MB of answers; beyond, the oldest is forgotten."""
THREADS = 32
"""Lookups at the same time: each blocks a thread for a round trip, 50 ms say, so this is 640 new hosts a second."""

Lookup = Callable[[str], tuple[str, ...]]
"""A host name's addresses, best first, none twice. Blocks; raises OSError."""

LOCALHOST = ("127.0.0.1", "::1")
"""RFC 6761: resolvers should answer so without asking, and glibc does not for `x.localhost`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is remembered of a host."""

    addresses: tuple[str, ...]
    problem: str | None
    expires_at: float


def look_up(host: str) -> tuple[str, ...]:
    """The system's answer. See `Lookup`."""
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class AddressGuard:
    """Gives the addresses a job may connect to. An async context manager; belongs to one event loop."""

    def __init__(self, policy: Policy, lookup: Lookup = look_up, *, names_are_theirs: bool = False) -> None:
        """`policy`: `network.private_addresses`.

        `names_are_theirs`: a proxy looks names up, so only hosts that say themselves where they lead can be judged.
        """
        self._policy = policy
        self._names_are_theirs = names_are_theirs
        self._lookup = lookup
        self._answers: dict[str, Answer] = {}
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dns")

    async def __aenter__(self) -> Self:
        """Threads start with the first lookups."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Begin no further lookup; those under way end in their threads, unheard."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, job: Job) -> tuple[str, ...] | Fault:
        """The addresses to try in turn; none where the wire may choose; a blocked_address or dns fault."""
        if self._policy == "allow" or (self._names_are_theirs and not names_address(job.host)):
            return ()
        listed = job.host == job.target.host and names_address(job.host)
        if addresses := reachable_literal(job.host, listed, self._policy):
            return addresses
        found = await self._find(job.host)
        if isinstance(found, Fault):
            return found
        verdicts = {address: judge(address, listed, self._policy) for address in found}
        return _allowed(job, verdicts, self._policy)

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """All addresses of a host, unjudged; none where they cannot be found."""
        found = await self._find(host)
        return () if isinstance(found, Fault) else found

    def prefer_others(self, host: str, address: str) -> None:
        """An address did not answer: the next requests try the host's other ones first."""
        if answer := self._answers.get(host):
            others = tuple(other for other in answer.addresses if other != address)
            self._answers[host] = Answer((*others, address), None, answer.expires_at)

    async def _find(self, host: str) -> tuple[str, ...] | Fault:
        if (address := literal(host)) is not None:
            return (address,)
        answer = self._answers.get(host)
        if answer is None or answer.expires_at <= time.monotonic():
            answer = await self._ask(host)
        return answer.addresses if answer.problem is None else Fault("dns", answer.problem)

    async def _ask(self, host: str) -> Answer:
        """All who ask for a host at the same time share one lookup; one who is cancelled does not end it."""
        pending = self._pending.get(host)
        if pending is None:
            loop = asyncio.get_running_loop()
            pending = loop.run_in_executor(self._threads, self._look_up, host, time.monotonic())
            self._pending[host] = pending
            pending.add_done_callback(lambda done: self._keep(host, done))
        return await asyncio.shield(pending)

    def _look_up(self, host: str, now: float) -> Answer:
        """Runs in a thread."""
        if is_localhost(host):
            return Answer(LOCALHOST, None, now + ANSWER_S)
        try:
            return Answer(self._lookup(host), None, now + ANSWER_S)
        except (OSError, UnicodeError) as exc:
            lasts_s = ANSWER_S if isinstance(exc, socket.gaierror) and exc.errno == socket.EAI_NONAME else 0.0
            return Answer((), f"{host} has no address: {_reason(exc)}", now + lasts_s)

    def _keep(self, host: str, done: "asyncio.Future[Answer]") -> None:
        del self._pending[host]
        if done.cancelled():
            return
        self._remember(host, done.result())

    def _remember(self, host: str, answer: Answer) -> None:
        self._answers.pop(host, None)
        if len(self._answers) >= MOST_HOSTS:
            self._answers.pop(next(iter(self._answers)), None)
        self._answers[host] = answer


def _reason(exc: Exception) -> str:
    detail = exc.strerror if isinstance(exc, OSError) else "no valid host name"
    return f"{detail}; check the spelling, or try later"


def _allowed(job: Job, verdicts: dict[str, str | None], policy: Policy) -> tuple[str, ...] | Fault:
    """The addresses without a verdict. For https there must be none with one: the wire connects by name there."""
    allowed = tuple(address for address, reason in verdicts.items() if reason is None)
    if allowed and (len(allowed) == len(verdicts) or job.url.startswith("http:")):
        return allowed
    if not verdicts:
        return Fault("dns", f"{job.host} has no address")
    address, reason = next((address, reason) for address, reason in verdicts.items() if reason is not None)
    return Fault("blocked_address", f"{_path_to(job, address)} {reason}: {_advice(policy)}")


def _path_to(job: Job, address: str) -> str:
    names = f"{job.host} is" if literal(job.host) else f"{job.host} leads to {address}, which is"
    return f"redirected: {names}" if job.hop else names


def _advice(policy: Policy) -> str:
    if policy == "deny":
        return 'network.private_addresses = "deny" refuses all such addresses'
    return 'list it as an input of its own, or set network.private_addresses = "allow"'
