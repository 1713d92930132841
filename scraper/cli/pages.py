"""The pages that `compare` and `tune` measure on, as their options ask for them."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scraper.cli.speak import tell

if TYPE_CHECKING:
    from scraper.config import Config
    from scraper.measure.pages import Listed, Pages
    from scraper.measure.replay.recording import Recording
    from scraper.session import Outcome, Request


class Wanted(NamedTuple):
    """Which pages the options ask for."""

    sources: Sequence[str]
    """URLs and lists; none: the practice site."""
    limit: int
    practice: int
    """Pages of the practice site."""
    folder: Path
    """Where recordings are kept."""
    url_column: str | None = None
    source_format: str | None = None
    replay: bool = False
    record: bool = False
    no_delay: bool = False


def refuse_odd(wanted: Wanted) -> None:
    """Raise UsageError for options that mean nothing together."""
    from scraper.errors import UsageError

    for option, is_on in (("--record", wanted.record), ("--no-delay", wanted.no_delay)):
        if is_on and not wanted.replay:
            raise UsageError(f"{option} is about a recording: add --replay")
    if wanted.replay and not wanted.sources:
        raise UsageError("--replay records your own pages: give their list as SOURCE")


@contextmanager
def pages_of(wanted: Wanted, config: "Config") -> Iterator[tuple["Pages", Path]]:
    """The pages, for as long as the block, and a folder that goes with it.

    In the block every signal that asks to end raises KeyboardInterrupt, so that what was started is ended too.
    """
    from tempfile import TemporaryDirectory

    refuse_odd(wanted)
    with ExitStack() as exits:
        scratch = Path(exits.enter_context(TemporaryDirectory(prefix="scraper-trials-")))
        pages = exits.enter_context(_opened(wanted, config, scratch))
        _take_ends_for_ctrl_c()
        yield pages, scratch


def _opened(wanted: Wanted, config: "Config", scratch: Path) -> AbstractContextManager["Pages"]:
    from scraper.measure.pages import listed, local_pages, practice_pages, replayed_pages

    if not wanted.sources:
        return practice_pages(wanted.practice, scratch)
    found = listed(wanted.sources, wanted.limit, url_column=wanted.url_column, source_format=wanted.source_format)
    if not wanted.replay:
        return nullcontext(local_pages(found, scratch))
    recording = _recording(found, wanted, config)
    return replayed_pages(recording, config, scratch, no_delay=wanted.no_delay, notes=found.cut)


def _recording(found: "Listed", wanted: Wanted, config: "Config") -> "Recording":
    from scraper.cli.live import scrape_with_progress
    from scraper.measure.replay.recorder import FOLDER, recording_of

    def scrape(config: "Config", request: "Request") -> "Outcome":
        tell(f"recording {len(found.targets):,} pages of {found.shown}, once and as politely as scraper run")
        return scrape_with_progress(config, request, progress=True)

    recording = recording_of(found, config, wanted.folder / FOLDER, scrape, anew=wanted.record)
    tell(f"the recording is {recording.folder}; --record makes it anew")
    return recording


def _take_ends_for_ctrl_c() -> None:
    """What else asks the program to end ends it as Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no hangup
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
