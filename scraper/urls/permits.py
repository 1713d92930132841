"""Which URLs robots.txt lets through: a book of origins, and of the jobs that wait for their origin's answer. Pure.

    judge(job) ─► None                             it may go
               ─► Fault                            forbidden, or the host asks for more than politeness.max_wait
               ─► Wait, perhaps with a job         the first job of an origin asks for robots.txt, others wait with it
    settle(that job, answer) ─► the jobs kept      to be judged again

An answer counts for a day (RFC 9309 section 2.4). A missing file (4xx) allows all. A server error forbids all (section
2.3.1.4), for some minutes: then the next job asks again.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from msgspec.structs import replace

from scraper import weburl
from scraper.records import Fault, Job, Target
from scraper.urls.robots import ALLOW_ALL, Robots, parse_robots

DAY_S = 24 * 3600.0
RETRY_S = 600.0
"""How long an origin whose robots.txt could not be had is left alone."""
MOST_ORIGINS = 50_000
"""Origins remembered, some 0.5 KB each where there are no rules; beyond, the oldest is asked again when it comes."""

UNAVAILABLE_STATUSES = range(400, 500)
"""There is no robots.txt, RFC 9309 section 2.3.1.3. But 429 is of the host's load, and counts as a server error."""

ELSEWHERE = "from elsewhere: "

OWN_KINDS = frozenset({"dns", "connect", "tls", "blocked_address"})
"""Faults that the page itself would meet as well: its jobs end with these, not as `robots`."""


@dataclass(slots=True)
class _Entry:
    robots: Robots | None = None
    """None while it is being fetched, and where it could not be."""
    fault: Fault | None = None
    """Why it could not be."""
    tries: int = 0
    """How often the host was tried in vain, where the fault is its own."""
    expires_at: float = float("inf")
    waiting: list[Job] = field(default_factory=list)

    @property
    def is_pending(self) -> bool:
        return self.robots is None and self.fault is None


@dataclass(frozen=True, slots=True)
class Wait:
    """The job is kept until its origin's robots.txt is known. `ask`: the job that fetches it, if nobody does yet."""

    ask: Job | None


class Permits:
    """Robots rules by origin. Times in seconds of any one clock."""

    def __init__(self, agents: frozenset[str], max_crawl_delay_s: float) -> None:
        """`agents`: the names we go by. `max_crawl_delay_s`: a host that asks for longer gaps is not fetched from."""
        self._agents = agents
        self._max_crawl_delay_s = max_crawl_delay_s
        self._book: OrderedDict[str, _Entry] = OrderedDict()
        self.waiting = 0
        """Jobs kept."""

    def judge(self, job: Job, now: float) -> Fault | Wait | None:
        """Whether a job may run now; None where it may. Of a `Wait` the job is kept here."""
        key = _key(job.url, job.host == job.target.host)
        entry = self._book.get(key)
        if entry is None or entry.expires_at <= now:
            return self._keep(self._begin(key), job, robots_job(job))
        if entry.is_pending:
            return self._keep(entry, job, None)
        return entry.fault or self._verdict(entry.robots or ALLOW_ALL, job)

    def settle(self, job: Job, answer: Robots | Fault, now: float) -> list[Job]:
        """Note the answer to a robots job, after its redirects and retries; gives the jobs that waited for it."""
        url = job.target.robots_url or job.url
        entry = self._book.setdefault(_key(url, weburl.host(url) == job.target.host), _Entry())
        waiting, entry.waiting = entry.waiting, []
        self.waiting -= len(waiting)
        if isinstance(answer, Fault):
            entry.fault, entry.expires_at = _as_robots_fault(answer), now + RETRY_S
            entry.tries = job.attempt if answer.kind in OWN_KINDS else 0
        else:
            entry.robots, entry.expires_at = answer, now + DAY_S
        return waiting

    def most_waited(self) -> tuple[str, int]:
        """The origin whose robots.txt most jobs wait for, and how many; ("", 0) where none does.

        The newest origins are looked at first, and only until all jobs that wait were seen.
        """
        most, seen = ("", 0), 0
        for key, entry in reversed(self._book.items()):
            if seen >= self.waiting:
                break
            seen += len(entry.waiting)
            most = max(most, (key.removeprefix(ELSEWHERE), len(entry.waiting)), key=lambda found: found[1])
        return most

    def read(self, body: bytes) -> Robots:
        """The rules for us in a robots.txt. Takes some 50 ms for the largest."""
        return parse_robots(body, self._agents)

    def tries_for(self, job: Job) -> int:
        """How often the host of a refused job was tried in vain for it: its failure is the job's own."""
        entry = self._book.get(_key(job.url, job.host == job.target.host))
        return 0 if entry is None else entry.tries

    def crawl_delay_s(self, robots: Robots) -> float | None:
        """The gap between requests to obey; None where none is asked for, or more than is accepted: see `judge`."""
        delay_s = robots.crawl_delay
        return None if delay_s is None or delay_s > self._max_crawl_delay_s else delay_s

    def _begin(self, key: str) -> _Entry:
        entry = self._book[key] = _Entry()
        self._book.move_to_end(key)
        if len(self._book) > MOST_ORIGINS:
            self._forget_one()
        return entry

    def _forget_one(self) -> None:
        """The oldest that nobody waits for; of those that are pending there are never more than requests in flight."""
        oldest = next((key for key, entry in self._book.items() if not entry.is_pending), None)
        if oldest is not None:
            del self._book[oldest]

    def _keep(self, entry: _Entry, job: Job, ask: Job | None) -> Wait:
        entry.waiting.append(job)
        self.waiting += 1
        return Wait(ask)

    def _verdict(self, robots: Robots, job: Job) -> Fault | None:
        if robots.crawl_delay and self.crawl_delay_s(robots) is None:
            return Fault(
                "robots",
                f"robots.txt asks for {robots.crawl_delay:g} s between requests, more than politeness.max_wait "
                f"({self._max_crawl_delay_s:g} s): raise it to fetch this host at that pace",
            )
        pattern = robots.forbidding(job.url)
        if pattern is None:
            return None
        return Fault("robots", f"robots.txt forbids it: Disallow: {pattern[:200]}; ask the site, or leave the URL out")


def robots_job(job: Job) -> Job:
    """The job that fetches the robots.txt of a job's origin.

    It keeps the target, so that the address guard and the rule for secrets judge it as a hop of the page that asks: a
    redirect to a private address reaches its robots.txt no more than the page.
    """
    url = f"{_origin(job.url)}/robots.txt"
    return Job(replace(job.target, robots_url=url), url, job.host)


def first_hop(target: Target, attempt: int = 1) -> Job:
    """The job that begins a try."""
    url = target.robots_url
    if url is not None:
        return Job(target, url, weburl.host(url), attempt)
    return Job(target, target.href, target.host, attempt)


def _key(url: str, is_own_host: bool) -> str:
    """An origin. The same one reached from elsewhere is another: the address guard may judge it otherwise."""
    return _origin(url) if is_own_host else ELSEWHERE + _origin(url)


def _origin(href: str) -> str:
    """Scheme, host and port of a canonical URL, which always has a path.

    >>> _origin("http://a.example:8080/x/y")
    'http://a.example:8080'
    """
    return href[: href.find("/", len("https://"))]


def answer_to(fault: Fault) -> Robots | Fault:
    """What it means that robots.txt could not be fetched: no rules, or the fault itself, which forbids all."""
    is_missing = fault.kind == "http_status" and fault.status in UNAVAILABLE_STATUSES and fault.status != 429
    return ALLOW_ALL if is_missing or fault.kind in ("too_many_redirects", "bad_redirect") else fault


def _as_robots_fault(fault: Fault) -> Fault:
    if fault.kind in OWN_KINDS:
        return fault
    return Fault("robots", f"robots.txt could not be read, which forbids all: {fault.message}", fault.status)
