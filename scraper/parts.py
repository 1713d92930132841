"""What a run is made of: the stages as the engine and the pipeline see them, and the limits they obey. Shapes only."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

import msgspec

from scraper.auto import Climb
from scraper.budget import Reservation
from scraper.errors import ScraperError
from scraper.fetch.retry import RetryPolicy
from scraper.records import Fault, Job, Mark, Page, Parsed, Read, Redirect, SourceLine, Target
from scraper.stats import Capacity, Waits
from scraper.urls.distinct import Distinct
from scraper.urls.lanes import Lanes
from scraper.urls.pace import HostLimits
from scraper.urls.permits import Permits
from scraper.write.writer import Entry


class Block(Protocol):
    """An async context manager."""

    async def __aenter__(self) -> Any:
        """Begin."""

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End."""


class Fetcher(Block, Protocol):
    """The fetch stage; `fetch.client.Client` is one."""

    async def fetch(self, job: Job, reservation: Reservation) -> Page | Read | Redirect | Fault:
        """Make one request. A `Read` where the page is parsed in the same place; never of a robots.txt."""

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none where they cannot be found, which its requests will tell."""


class Output(Protocol):
    """Where outcomes go; `write.writer.Writer` is one."""

    @property
    def busy_s(self) -> float:
        """Seconds spent writing and committing."""

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


class Hold(Protocol):
    """The bytes that a page or its row holds until the row is durable; `budget.Reservation` is one."""

    held: int

    def shrink_to(self, n: int) -> None:
        """Hold `n` bytes from now on."""

    def release(self) -> None:
        """Hold nothing."""


class InHand(msgspec.Struct, gc=False):
    """What is kept of a page from the end of its fetching to the end of its URL. Only `parse_s` changes."""

    job: Job
    """The hop that gave the page."""
    status: int
    hold: Hold
    etag: str
    modified: str
    size: int = 0
    """Bytes of the body, as it was sent."""
    head_s: float = 0.0
    """As the page's."""
    took_s: float = 0.0
    """Seconds from the start of its request to its last byte."""
    whole_at: float = 0.0
    """When its last byte had come, by `time.monotonic`: the loop's own clock may count in milliseconds."""
    parse_s: float = 0.0
    """Seconds until its row was back."""


OnParsed = Callable[[list[tuple[int, Parsed]]], None]
"""Called on the loop with (number, outcome) of pages that were submitted."""


class ParserStats(Protocol):
    """Figures of a parser's life."""

    @property
    def busy_s(self) -> float:
        """Seconds spent on pages, of all its workers together."""


class Parser(Block, Protocol):
    """The parse stage: each page that is submitted comes back exactly once; `parse.pool.ParsePool` is one."""

    @property
    def stats(self) -> ParserStats:
        """Its figures so far."""

    def submit(self, number: int, page: Page) -> None:
        """Take a page under a number of the caller's choice; returns at once."""


class Gauges(msgspec.Struct, frozen=True, array_like=True):
    """The state of an engine at one moment: levels, and sums since its start."""

    in_flight: int = 0
    queued: int = 0
    backoffs: int = 0
    parsing: int = 0
    bodies_waiting: bool = False
    pages_bytes: int = 0
    parse_busy_s: float = 0.0
    loop_busy_s: float = 0.0
    """Of several loops the mean."""
    requests: int = 0
    """Those that ended, whatever they gave."""
    request_s: float = 0.0
    """Sum of their seconds."""
    behind_bytes: int = 0
    """Bytes of the budget held by pages that are whole, and by their rows."""
    slots: int = 0
    """Requests that may be in flight by now, where that changes; 0 = as the settings say."""


class Engine(Block, Protocol):
    """Where URLs become parsed pages: frontier, fetch and parse. `engine.LocalEngine` is one, on the caller's loop.

    What comes of a URL is told to the Outlet it was made with, once for each target that entered.
    """

    async def room(self) -> None:
        """Wait until another target may enter."""

    def enter(self, target: Target) -> None:
        """Take up a URL; returns at once."""

    def stop(self) -> None:
        """Begin no further request; what is under way goes on."""

    def close(self) -> None:
        """End what is under way, so that leaving the block does not wait for it."""

    @property
    def is_idle(self) -> bool:
        """Nothing is being fetched or parsed."""

    @property
    def is_parsing(self) -> bool:
        """Pages are being parsed."""

    def gauges(self) -> Gauges:
        """Its state now. May be called on any thread."""

    def waits(self) -> Waits:
        """What its jobs wait for. Looks at each host: to be asked a few times a second at most, on the loop."""

    def notes(self) -> list[str]:
        """What a user should know of how the settings suit the pages, and what those that say "auto" came to."""


class Outlet(Protocol):
    """What an engine tells of URLs: their final outcomes. Called on the loop."""

    def parsed(self, pages: list[tuple[InHand, Parsed]]) -> None:
        """These pages gave a row, or a store keeps something of them."""

    def failed(self, target: Target, fault: Fault, attempts: int) -> None:
        """A URL gave no page, and will not be tried again."""

    def unchanged(self, target: Target) -> None:
        """The server says that the row of an earlier session still holds."""

    def short_of_memory(self) -> None:
        """A reader waits for bytes that other pages, or rows, hold."""

    def moved(self) -> None:
        """Something ended: perhaps it was the last."""


OpenOutput = Callable[[Callable[[list[Entry]], None], Callable[[ScraperError], None]], Output]
"""Makes the output from (what it calls for durable entries, what it calls when it fails); both from any thread."""


OpenEngine = Callable[[Outlet], Engine]
"""Makes the engine from what it tells its outcomes to. Called on the loop."""


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What an engine connects and obeys; sizes in bytes."""

    fetcher: Fetcher
    open_parser: Callable[[OnParsed], Parser]
    retries: RetryPolicy
    host_limits: Callable[[str], HostLimits]
    concurrency: int
    """Requests in flight at once."""
    window: int
    """Jobs held in the frontier at once."""
    memory: int
    """Of bodies and rows in flight."""
    max_redirects: int
    keeper: Keeper | None = None
    from_archive: bool = False
    """The replies were kept: none changes when it is asked for again, and there is no host to spare."""
    lanes: Lanes | None = None
    """None where each host has a lane of its own."""
    permits: Permits | None = None
    """None where robots.txt is not asked."""
    elsewhere: Callable[[Job, float], bool] | None = None
    """Sends a job on, to be done after so many seconds, whose host is not this engine's; False for one that is. None
    where all hosts are."""
    climb: Climb | None = None
    """Finds how many requests may be in flight, beginning with `concurrency`; None where it stays at that."""
    notes: Callable[[], list[str]] = list
    """What its settings that say "auto" came to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that the pipeline itself obeys; sizes in bytes, times in seconds."""

    memory: int
    shutdown_timeout_s: float
    limit: int | None = None
    """URLs to take up in this session, None = all."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pipeline connects. The sources give lists of records, in the order of the input."""

    sources: AsyncGenerator[list[SourceLine], None]
    open_engine: OpenEngine
    open_output: OpenOutput
    capacity: Capacity
    """What the settings allow, for the load figures."""
    earlier: Earlier | None = None
    revisit: Revisit | None = None
    """None where what has an outcome keeps it."""
    distinct: Distinct | None = None
    """None where each URL of the input has a row of its own."""
