"""What a sharded run and its shards say to each other, and which shard a host belongs to."""

from collections.abc import Callable
from zlib import crc32

import msgspec

from scraper.fetch.cookies import new_jar
from scraper.parts import Gauges, Hold, InHand
from scraper.records import Fault, Job, Parsed, Target
from scraper.stats import Waits


class Enter(msgspec.Struct, frozen=True):
    """To a shard: targets to take up, and jobs that came from other shards, each with the seconds it is to wait."""

    targets: list[Target]
    jobs: list[tuple[Job, float]] = []


class Free(msgspec.Struct, frozen=True):
    """To a shard: what these pages hold is free."""

    numbers: list[int]


class Stop(msgspec.Struct, frozen=True):
    """To a shard: begin no further request."""


class Ended(msgspec.Struct, frozen=True):
    """Of a shard: a page that was parsed; its row holds bytes under the number until it is freed."""

    number: int
    key: int
    url: str
    """That answered."""
    attempt: int
    status: int
    etag: str
    modified: str
    size: int
    head_s: float
    took_s: float
    parse_s: float
    held: int
    parsed: Parsed


class Told(msgspec.Struct, frozen=True):
    """Of a shard: what came of URLs, in the order in which it came, and its state."""

    ended: list[Ended]
    failed: list[tuple[int, Fault, int]]
    unchanged: list[int]
    elsewhere: list[tuple[Job, float]]
    """Jobs whose host belongs to another shard, with the seconds each is to wait."""
    gauges: Gauges
    is_idle: bool
    is_short: bool
    """A reader waits for bytes."""
    waits: Waits | None = None
    """What its jobs wait for; None where that was not looked at."""


def shard_of(site: str, shards: int) -> int:
    """The shard of a site, the same in every process.

    >>> shard_of("a.example", 1), 0 <= shard_of("a.example", 4) < 4
    (0, True)
    """
    return crc32(site.encode("utf-8", "replace")) % shards


def sites_of(*, shares_cookies: bool) -> Callable[[str], str]:
    """Gives what a host is dealt out with: itself, or its registrable domain, whose hosts share a shard's cookies.

    >>> sites_of(shares_cookies=False)("www.a.example"), sites_of(shares_cookies=True)("www.a.example")
    ('www.a.example', 'a.example')
    """
    return new_jar().site_of if shares_cookies else str


def in_hand_of(ended: Ended, target: Target, hold: Hold) -> InHand:
    """The page as the settlement knows it."""
    job = Job(target, ended.url, target.host, ended.attempt)
    return InHand(
        job,
        ended.status,
        hold,
        ended.etag,
        ended.modified,
        ended.size,
        ended.head_s,
        ended.took_s,
        parse_s=ended.parse_s,
    )
