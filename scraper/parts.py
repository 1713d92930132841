"""What a pipeline is made of: the stages as it sees them, and the limits it obeys. Names and shapes only."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

from scraper.budget import Reservation
from scraper.errors import ScraperError
from scraper.fetch.retry import RetryPolicy
from scraper.parse.pool import PoolOptions
from scraper.parse.wire import Setup
from scraper.records import Fault, Job, Mark, Page, Redirect, SourceLine
from scraper.urls.distinct import Distinct
from scraper.urls.lanes import Lanes
from scraper.urls.pace import HostLimits
from scraper.urls.permits import Permits
from scraper.write.writer import Entry


class Fetcher(Protocol):
    """The fetch stage; `fetch.client.Client` is one."""

    async def fetch(self, job: Job, reservation: Reservation) -> Page | Redirect | Fault:
        """Make one request."""

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none where they cannot be found, which its requests will tell."""


class Output(Protocol):
    """Where outcomes go; `write.writer.Writer` is one."""

    busy_s: float

    def put(self, entries: list[Entry]) -> None:
        """Take outcomes over; returns at once."""

    def commit_soon(self) -> None:
        """Make what was put durable as soon as possible: bytes are waited for. Returns at once."""


class Earlier(Protocol):
    """Outcomes that earlier sessions made durable; `resume.Done` is one."""

    def outcome(self, key: int) -> str | None:
        """The outcome of a URL, None where it has none yet."""


class Revisit(Protocol):
    """Which URLs that have an outcome are taken up again; `revisit.RetryFailed` and `revisit.Refresh` are such."""

    def takes(self, outcome: str) -> bool:
        """Whether URLs with this outcome are."""

    def mark_of(self, key: int) -> Mark:
        """What the page of a URL was known by when its row was written."""


class Keeper(Protocol):
    """Keeps plain bodies; `write.bodies.BodyFolder` is one."""

    async def keep(self, page: Page) -> Page | Fault:
        """Store the body; gives the page with `body_file` set, or why its body is not whole."""


OpenOutput = Callable[[Callable[[list[Entry]], None], Callable[[ScraperError], None]], Output]
"""Makes the output from (what it calls for durable entries, what it calls when it fails); both from any thread."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that the pipeline itself obeys; sizes in bytes, times in seconds."""

    concurrency: int
    window: int
    """Jobs held in the frontier at once."""
    memory: int
    max_redirects: int
    shutdown_timeout_s: float
    limit: int | None = None
    """URLs to take up in this session, None = all."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pipeline connects. The sources give lists of records, in the order of the input."""

    sources: AsyncGenerator[list[SourceLine], None]
    fetcher: Fetcher
    retries: RetryPolicy
    host_limits: Callable[[str], HostLimits]
    pool: tuple[Setup, PoolOptions]
    open_output: OpenOutput
    earlier: Earlier | None = None
    keeper: Keeper | None = None
    from_archive: bool = False
    """The replies were kept: none changes when it is asked for again, and there is no host to spare."""
    revisit: Revisit | None = None
    """None where what has an outcome keeps it."""
    distinct: Distinct | None = None
    """None where each URL of the input has a row of its own."""
    lanes: Lanes | None = None
    """None where each host has a lane of its own."""
    permits: Permits | None = None
    """None where robots.txt is not asked."""
