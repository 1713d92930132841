"""From a config to the parts of a pipeline. Shared by command line and Python API: only their output differs."""

import sys
from collections.abc import AsyncGenerator, Callable

from scraper.config import Config, byte_budget, worker_processes
from scraper.fetch.address import is_localhost, literal, special_use
from scraper.fetch.retry import RetryPolicy
from scraper.openfiles import allow_open_files
from scraper.parse.pool import PoolOptions
from scraper.parse.wire import Setup
from scraper.parts import Fetcher, Keeper, Limits, OpenOutput, Parts, Revisit
from scraper.records import ParsePlan, SourceLine
from scraper.resume import Done
from scraper.urls.distinct import Distinct
from scraper.urls.lanes import Lanes
from scraper.urls.pace import HostLimits
from scraper.urls.permits import Permits
from scraper.urls.robots import agent_names
from scraper.work import BUILD

PUBLIC_PER_HOST = 8
"""What politeness.per_host = "auto" asks of a host that is not this machine: what browsers open, and a little more."""


def parts_of(
    config: Config,
    fetcher: Fetcher,
    sources: AsyncGenerator[list[SourceLine], None],
    plan: ParsePlan,
    open_output: OpenOutput,
    *,
    earlier: Done | None = None,
    keeper: Keeper | None = None,
    revisit: Revisit | None = None,
    distinct: Distinct | None = None,
    from_archive: bool = False,
) -> Parts:
    """All stages as the config wants them; nothing is started. Raises ConfigError for more than the system allows."""
    allow_open_files(config.fetch.concurrency)
    return Parts(
        sources=sources,
        fetcher=fetcher,
        retries=retry_policy(config),
        host_limits=unlimited(config) if from_archive else host_limits(config),
        pool=(
            Setup(BUILD, plan, tuple(sys.path), config.parse.timeout, config.parse.max_memory),
            pool_options(config),
        ),
        open_output=open_output,
        earlier=earlier,
        keeper=keeper,
        revisit=revisit,
        distinct=distinct,
        from_archive=from_archive,
        lanes=Lanes() if config.politeness.by == "address" and not from_archive else None,
        permits=None if from_archive else permits(config),
    )


def limits_of(config: Config, limit: int | None) -> Limits:
    """What the pipeline itself obeys."""
    return Limits(
        concurrency=config.fetch.concurrency,
        window=config.run.window,
        memory=byte_budget(config),
        max_redirects=config.fetch.max_redirects,
        shutdown_timeout_s=config.run.shutdown_timeout,
        limit=limit,
    )


def pool_options(config: Config) -> PoolOptions:
    """The parse pool's share."""
    parse = config.parse
    return PoolOptions(worker_processes(config), parse.batch_bytes, parse.batch_age, parse.timeout)


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
    politeness, concurrency = config.politeness, config.fetch.concurrency

    def limits(host: str) -> HostLimits:
        per_host = politeness.per_host
        if per_host == "auto":
            per_host = concurrency if is_this_machine(host) else PUBLIC_PER_HOST
        return HostLimits(per_host, politeness.delay, politeness.adaptive)

    return limits


def unlimited(config: Config) -> Callable[[str], HostLimits]:
    """No host is asked where the replies come out of an archive."""
    limits = HostLimits(config.fetch.concurrency, 0.0)
    return lambda host: limits


def is_this_machine(host: str) -> bool:
    """Whether a host as written is loopback.

    >>> is_this_machine("localhost"), is_this_machine("127.0.0.7"), is_this_machine("a.example")
    (True, True, False)
    """
    address = literal(host)
    return is_localhost(host) or (address is not None and special_use(address) == "loopback")
