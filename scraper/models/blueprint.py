"""What every model builds from: the settings of a run, and the parts that are the same in all of them."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from scraper.auto import Climb
from scraper.config import Config, byte_budget, worker_processes
from scraper.config.machine import FIXED_CONCURRENCY, auto_settings, fetch_concurrency, finds_concurrency, first_workers
from scraper.fetch.address import is_localhost, literal, special_use
from scraper.fetch.retry import RetryPolicy
from scraper.models.wall import Wall
from scraper.openfiles import bearable_requests
from scraper.parse.wire import Setup
from scraper.parts import EngineParts, Fetcher, Keeper, OnParsed, Parser
from scraper.records import Job, ParsePlan
from scraper.urls.lanes import Lanes
from scraper.urls.pace import HostLimits
from scraper.urls.permits import Permits
from scraper.urls.robots import agent_names
from scraper.work import BUILD

PUBLIC_PER_HOST = 8
"""What politeness.per_host = "auto" asks of a host that is not this machine: what browsers open, and a little more."""

WrapWire = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a run is to do, as plain data: it crosses a process border where a model has more than one."""

    config: Config
    plan: ParsePlan
    keep_heads: bool = False
    """Give pages their exchange, for an archive."""
    bodies: Path | None = None
    """The output folder in which plain bodies are kept; None where they are not."""
    from_archive: bool = False
    """The replies are read from archives, not fetched."""
    wrap_wire: WrapWire | None = None
    """Puts a wire around the one that fetches; None in models that cross a process border."""
    wall: Wall | None = None
    """Where the process has a guardian."""

    @property
    def workers(self) -> int:
        """Processes or threads beside the loop, as parse.processes says."""
        return worker_processes(self.config)

    @property
    def first_workers(self) -> int:
        """How many of them a pool that grows begins with."""
        return first_workers(self.config)

    @property
    def finds_concurrency(self) -> bool:
        """Whether the number of requests in flight is found while the run goes on: archives have no latency."""
        return finds_concurrency(self.config) and not self.from_archive

    @property
    def concurrency(self) -> int:
        """Requests in flight; where their number is found, those to begin with."""
        is_read = finds_concurrency(self.config) and self.from_archive
        return FIXED_CONCURRENCY if is_read else fetch_concurrency(self.config)

    @property
    def most_concurrency(self) -> int:
        """Requests that may ever be in flight."""
        most = self.config.fetch.most_concurrency
        return bearable_requests(most) if self.finds_concurrency else self.concurrency

    @property
    def setup(self) -> Setup:
        """What a parse worker is told."""
        parse = self.config.parse
        return Setup(BUILD, self.plan, tuple(sys.path), parse.timeout, parse.max_memory)


def engine_parts(
    blueprint: Blueprint,
    fetcher: Fetcher,
    open_parser: Callable[[OnParsed], Parser],
    *,
    keeper: Keeper | None = None,
    shards: int = 1,
    concurrency: int | None = None,
    elsewhere: Callable[[Job, float], bool] | None = None,
    parser_note: Callable[[], str] = str,
) -> EngineParts:
    """The parts of one engine, which has its share of what `shards` of them may use together.

    `concurrency`: where it is not fetch.concurrency. `elsewhere`: as in EngineParts. `parser_note`: what is to be told
    of its workers.
    """
    config, is_archive = blueprint.config, blueprint.from_archive
    climb = Climb(blueprint.most_concurrency) if blueprint.finds_concurrency else None
    return EngineParts(
        fetcher=fetcher,
        open_parser=open_parser,
        retries=retry_policy(config),
        host_limits=unlimited(config) if is_archive else host_limits(config),
        concurrency=climb.now if climb else concurrency or max(1, blueprint.concurrency // shards),
        window=max(1, config.run.window // shards),
        memory=max(byte_budget(config) // shards, config.fetch.max_body),
        max_redirects=config.fetch.max_redirects,
        keeper=keeper,
        from_archive=is_archive,
        lanes=Lanes() if config.politeness.by == "address" and not is_archive else None,
        permits=None if is_archive else permits(config),
        elsewhere=elsewhere,
        climb=climb,
        notes=lambda: auto_notes(blueprint, climb, parser_note()),
    )


def auto_notes(blueprint: Blueprint, climb: Climb | None = None, of_workers: str = "") -> list[str]:
    """What the settings that say "auto" came to, and why: a line for each.

    `of_workers`: what was seen of a pool that grows; "" where their number was fixed.
    """
    notes = dict(auto_settings(blueprint.config))
    if climb is not None:
        notes["fetch.concurrency"] = climb.why()
    elif "fetch.concurrency" in notes and blueprint.from_archive:
        notes["fetch.concurrency"] = f"{blueprint.concurrency} (an archive has no latency)"
    if of_workers and "parse.processes" in notes:
        notes["parse.processes"] = of_workers
    return [f"{name} auto: {what}" for name, what in notes.items()]


def retry_policy(config: Config) -> RetryPolicy:
    """The retry settings as the policy wants them."""
    return RetryPolicy(
        retries=config.fetch.retries,
        base_s=config.fetch.backoff,
        cap_s=config.fetch.backoff_max,
        max_wait_s=config.politeness.max_wait,
        respect_retry_after=config.politeness.respect_retry_after,
    )


def permits(config: Config) -> Permits | None:
    """The book of robots rules; None where politeness.robots is off."""
    politeness = config.politeness
    return Permits(agent_names(politeness.user_agent), politeness.max_wait) if politeness.robots else None


def host_limits(config: Config) -> Callable[[str], HostLimits]:
    """What a host may be asked. "auto" spares others, and leaves one's own machine to fetch.concurrency."""
    politeness, concurrency = config.politeness, config.fetch.most_concurrency

    def limits(host: str) -> HostLimits:
        per_host = politeness.per_host
        if per_host == "auto":
            per_host = concurrency if is_this_machine(host) else PUBLIC_PER_HOST
        return HostLimits(per_host, politeness.delay, politeness.adaptive)

    return limits


def unlimited(config: Config) -> Callable[[str], HostLimits]:
    """No host is asked where the replies come out of an archive."""
    limits = HostLimits(config.fetch.most_concurrency, 0.0)
    return lambda host: limits


def is_this_machine(host: str) -> bool:
    """Whether a host as written is loopback.

    >>> is_this_machine("localhost"), is_this_machine("127.0.0.7"), is_this_machine("a.example")
    (True, True, False)
    """
    address = literal(host)
    return is_localhost(host) or (address is not None and special_use(address) == "loopback")
