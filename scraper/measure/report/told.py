"""What telemetry.json tells of a folder's sessions, read and checked. Writes nothing; scraper/telemetryfile.py does."""

from pathlib import Path

import msgspec

from scraper.advice import WORDS
from scraper.errors import ScraperError
from scraper.telemetryfile import VERSION

TELEMETRY = "telemetry.json"

Buckets = list[tuple[float, int]]
"""(upper bound in seconds, how many), rising."""


class SeriesTold(msgspec.Struct, frozen=True):
    """A session over its time: columns of equal length. Sums are cumulative, shares of the interval before."""

    at: list[float]
    """Seconds from the start."""
    done: list[float]
    failed: list[float]
    bytes: list[float]
    in_flight: list[float]
    queued: list[float]
    parsing: list[float]
    loop: list[float]
    parse: list[float]
    write: list[float]
    disk: list[float]
    slots: list[float]
    limit: list[str | None]
    """What limited the run; None where nothing can be said."""

    def __post_init__(self) -> None:
        """ValueError where the columns differ in length."""
        if len({len(getattr(self, name)) for name in self.__struct_fields__}) > 1:
            raise ValueError("the columns of a series differ in length")


class PhasesTold(msgspec.Struct, frozen=True):
    """How long each part of a page's way took."""

    head: Buckets = []
    body: Buckets = []
    parse: Buckets = []
    write: Buckets = []
    page: Buckets = []


class StallsTold(msgspec.Struct, frozen=True):
    """How long the loop was kept from its timers."""

    longest_s: float = 0.0
    over_50ms: int = 0


class HostTold(msgspec.Struct, frozen=True):
    """What one host answered; the host "" is all others together."""

    host: str
    ok: int
    failed: int
    bytes: int
    seconds: float
    longest_s: float


class PageTold(msgspec.Struct, frozen=True):
    """A page that took long, or was large."""

    url: str
    seconds: float
    bytes: int


class LimitTold(msgspec.Struct, frozen=True):
    """What limited the session for a share of its time."""

    name: str
    share: float
    advice: str
    gain: float | None = None
    """Times as many pages a second, at most; None where nothing can be gained by a setting."""


class SessionTold(msgspec.Struct, frozen=True):
    """One session of a run."""

    started: str
    """RFC 3339, UTC."""
    seconds: float
    model: str
    concurrency: int
    processes: int
    python: str
    gil: bool
    cores: int
    series: SeriesTold
    phases: PhasesTold
    stalls: StallsTold
    hosts: list[HostTold]
    slowest: list[PageTold]
    largest: list[PageTold]
    limits: list[LimitTold]
    first_row_s: float | None = None
    """None where there was no row."""
    cpu_s: float | None = None
    """Of the whole process tree; None where the machine does not tell, as for peak_rss."""
    peak_rss: int | None = None

    @property
    def pages(self) -> int:
        """URLs that came to an outcome in this session."""
        return int(self.series.done[-1]) if self.series.done else 0

    @property
    def failed(self) -> int:
        """Those of them that failed."""
        return int(self.series.failed[-1]) if self.series.failed else 0


class _File(msgspec.Struct, frozen=True):
    version: int
    sessions: list[SessionTold]


class _Head(msgspec.Struct, frozen=True):
    version: int


def read_sessions(folder: Path) -> list[SessionTold] | None:
    """The sessions that the folder's telemetry tells of, oldest first; None where there is no such file.

    Raises ScraperError where it cannot be read, or is of another version.
    """
    path = folder / TELEMETRY
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ScraperError(f"{path}: cannot be read: {exc.strerror}") from exc
    try:
        version = msgspec.json.decode(data, type=_Head).version
        if version != VERSION:
            raise ScraperError(f"{path}: is of version {version}, this scraper reads {VERSION}: use the one that ran")
        return msgspec.json.decode(data, type=_File).sessions
    except (msgspec.MsgspecError, ValueError) as exc:  # ValueError: text that is not UTF-8
        raise ScraperError(f"{path}: is damaged ({exc}): remove it, and the report does without what it told") from exc


def limit_words(name: str) -> str:
    """The name of a limit as users read it; as it is, where a newer scraper told it."""
    return next((words for known, words in WORDS.items() if known == name), name)


def telling(sessions: list[SessionTold]) -> SessionTold | None:
    """The session to show: the newest that did something, else the newest; None where there is none.

    A run that is finished and started once more has a last session that found nothing to do.
    """
    return next((session for session in reversed(sessions) if session.pages), sessions[-1] if sessions else None)
