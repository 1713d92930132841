"""The pages that trials are run on: a user's own on this machine, the practice site's, or a recording's.

Remote hosts are never asked by a trial: `listed` tells of the first, and who calls refuses or records.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scraper import loop
from scraper.config import Config
from scraper.errors import SourceError, UsageError
from scraper.measure.replay.recording import Asked, Recording
from scraper.measure.replay.served import LACKS, running_replay
from scraper.models.blueprint import PUBLIC_PER_HOST, is_this_machine
from scraper.records import SourceLine, Target
from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from scraper.urls.canonical import target_from
from scraper.urls.sources import are_archives, check_sources, read_sources

LIMIT = 500
"""URLs of a list that are taken, by default: with six models and three rounds a minute or two."""
PRACTICE_LATENCY_S = 0.02
WHAT_LACKS = f"A replay lacks {'; '.join(LACKS)}."
NO_DELAY = "Without politeness.delay, robots.txt and its Crawl-delay (--no-delay)."


@dataclass(frozen=True, slots=True)
class Pages:
    """What trials are run on."""

    sources: tuple[str, ...]
    count: int
    """URLs."""
    hosts: int
    shown: str
    """What they are, for people."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Set in every trial, by key, over the user's own."""
    server_pid: int | None = None
    """The process that serves them, where it was started for it."""
    notes: tuple[str, ...] = ()
    """What differs from a run of the user's own, a sentence each."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The beginning of a list."""

    shown: str
    lines: tuple[SourceLine, ...]
    """Each with a URL of its own; what is no URL, and what comes twice, is left out."""
    targets: tuple[Target, ...]
    """What they ask for."""
    has_more: bool
    """The list goes on behind the limit."""

    @property
    def hosts(self) -> int:
        """Different hosts."""
        return len({target.host for target in self.targets})

    @property
    def first_remote(self) -> str | None:
        """The first host that is not this machine; None where all are."""
        return next((target.host for target in self.targets if not is_this_machine(target.host)), None)

    @property
    def cut(self) -> tuple[str, ...]:
        """That the list was cut, if it was, in a sentence."""
        return (f"Of the list the first {len(self.targets):,} URLs were taken (--limit).",) if self.has_more else ()


def listed(
    sources: Sequence[str], limit: int, *, url_column: str | None = None, source_format: str | None = None
) -> Listed:
    """Read the first `limit` URLs of a user's sources; the rest is not read. Raises SourceError where there is none."""
    check_sources(sources, url_column=url_column, format=source_format)
    if are_archives(sources, format=source_format):
        raise UsageError(f"{sources[0]}: its replies need no fetching, so there is nothing to measure: give URLs")
    lines, targets, has_more = loop.run(_read(sources, limit, url_column, source_format))
    shown = ", ".join("standard input" if source == "-" else source for source in sources[:3])
    if not targets:
        raise SourceError(f"{shown}: holds no URL that can be fetched")
    return Listed(shown + (", ..." if len(sources) > 3 else ""), tuple(lines), tuple(targets), has_more)


async def _read(
    sources: Sequence[str], limit: int, url_column: str | None, source_format: str | None
) -> tuple[list[SourceLine], list[Target], bool]:
    found: dict[int, tuple[SourceLine, Target]] = {}
    async with aclosing(read_sources(sources, url_column=url_column, format=source_format)) as batches:
        async for batch in batches:
            for line in batch:
                target = target_from(line)
                if not isinstance(target, Target) or target.key in found:
                    continue
                if len(found) == limit:
                    return *_parted(found), True
                found[target.key] = (line, target)
    return *_parted(found), False


def _parted(found: Mapping[int, tuple[SourceLine, Target]]) -> tuple[list[SourceLine], list[Target]]:
    return [line for line, _ in found.values()], [target for _, target in found.values()]


def local_pages(listed: Listed, scratch: Path) -> Pages:
    """A user's own pages on this machine. UsageError where one is not.

    `scratch`: a folder for their list, which holds what the user's holds: credentials too.
    """
    remote = listed.first_remote
    if remote is not None:
        raise UsageError(
            f"{remote} is not this machine, and trials would ask it for the same pages many times: add --replay, which "
            "records them once"
        )
    asked = [Asked(line.text.strip(), dict(line.extra) if line.extra else None) for line in listed.lines]
    return Pages((str(write_list(scratch, asked)),), len(asked), listed.hosts, listed.shown, notes=listed.cut)


@contextmanager
def practice_pages(count: int, scratch: Path, latency_s: float = PRACTICE_LATENCY_S) -> Iterator[Pages]:
    """The practice site with so many pages, as long as the block."""
    with running_site(SiteOptions(pages=count, latency_s=latency_s, jitter_s=latency_s / 2)) as site:
        path = write_list(scratch, [Asked(site.url + path) for path in site.paths])
        shown = f"the practice site, {latency_s * 1000:g} ms away"
        note = "These are made-up pages: give your own list as SOURCE to compare on what you scrape."
        yield Pages((str(path),), count, 1, shown, server_pid=site.pid, notes=(note,))


@contextmanager
def replayed_pages(
    recording: Recording, config: Config, scratch: Path, *, no_delay: bool = False, notes: Sequence[str] = ()
) -> Iterator[Pages]:
    """A recording served from this machine, as long as the block. `no_delay`: without waits for politeness' sake."""
    about = recording.about
    with running_replay(recording) as replay:
        asked = [Asked(there, page.extra) for page in about.asked if (there := replay.url_of(page.url))]
        path = write_list(scratch, asked)
        hosts = len({there.rpartition(":")[0] for there in replay.places.values()})
        yield Pages(
            (str(path),),
            len(asked),
            hosts,
            f"a recording of {about.made_at[:16].replace('T', ' ')} UTC",
            settings=replay_settings(config, no_delay=no_delay),
            server_pid=replay.pid,
            notes=(*notes, *((NO_DELAY,) if no_delay else ()), *_left_out(about.failed), WHAT_LACKS),
        )


def _left_out(failed: Mapping[str, int]) -> tuple[str, ...]:
    if not failed:
        return ()
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in failed.items())
    return (f"Left out are {sum(failed.values()):,} URLs that failed while they were recorded: {kinds}.",)


def replay_settings(config: Config, *, no_delay: bool) -> dict[str, Any]:
    """What a replay sets, so that politeness stays what it was: the loopback addresses stand for public hosts.

    A proxy would be asked for loopback addresses.
    """
    settings: dict[str, Any] = {"network.private_addresses": "listed"}
    if config.politeness.per_host == "auto":
        settings["politeness.per_host"] = PUBLIC_PER_HOST
    if config.fetch.proxies:
        settings["fetch.proxy"] = ""
    if no_delay:
        settings |= {"politeness.delay": "0s", "politeness.robots": False}  # a Crawl-delay is a delay too
    return settings


def write_list(folder: Path, asked: Sequence[Asked]) -> Path:
    """A list with all its columns."""
    has_columns = any(page.extra for page in asked)
    path = folder / ("urls.jsonl" if has_columns else "urls.txt")
    with path.open("w", encoding="utf-8") as file:
        for page in asked:
            file.write((json.dumps({**(page.extra or {}), "url": page.url}) if has_columns else page.url) + "\n")
    return path
