"""Records pages: one polite run over a list, with what comes over its wire kept. Drives a session; decides nothing."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from scraper.config import Config, WriteConfig
from scraper.errors import ScraperError
from scraper.measure.pages import Listed, write_list
from scraper.measure.replay.recording import VERSION, About, Asked, Recording, Tape, digest_of, open_recording
from scraper.measure.replay.taping import TapingWire
from scraper.session import Outcome, Request
from scraper.urls.canonical import key_of

CONCURRENCY = 16
"""Requests in flight at most while recording: a busy loop would add its own delay to the latencies it measures."""
MADE_BY = "scraper compare"
FOLDER = "replay"
"""Of the output folder, where the recording is."""

Scrape = Callable[[Config, Request], Outcome]
"""Runs a session to its end."""


def recording_of(listed: Listed, config: Config, folder: Path, scrape: Scrape, *, anew: bool) -> Recording:
    """The recording of a list in `folder`, made now where there is none of it, or `anew`.

    Raises ScraperError where no page came, KeyboardInterrupt where it was interrupted; then the folder is as it was.
    """
    digest = digest_of(target.href for target in listed.targets)
    known = None if anew else open_recording(folder)
    return known if known and known.about.digest == digest else _record(listed, digest, config, folder, scrape)


def _record(listed: Listed, digest: str, config: Config, folder: Path, scrape: Scrape) -> Recording:
    """A run with the user's settings, politeness and robots rules among them, whose rows are only counted."""
    run = config.run.model_copy(update={"model": "hybrid"})
    concurrency = min(config.fetch.most_concurrency, CONCURRENCY)
    fetch = config.fetch.model_copy(update={"keep_bodies": False, "concurrency": concurrency})
    settings = config.model_copy(update={"run": run, "fetch": fetch, "write": WriteConfig()})
    with Tape(folder) as tape:
        output = tape.part / "run"
        output.mkdir()
        path = write_list(output, [Asked(line.text.strip()) for line in listed.lines])
        request = Request(
            [str(path)], output / "out", fresh=True, made_by=MADE_BY, wrap_wire=lambda wire: TapingWire(wire, tape)
        )
        outcome = scrape(settings, request)
        if not outcome.summary.finished:
            raise KeyboardInterrupt
        about = _about(listed, digest, outcome)
        shutil.rmtree(output)
        return tape.finish(about)


def _about(listed: Listed, digest: str, outcome: Outcome) -> About:
    came = _keys_of_rows(Path(outcome.files["rows"]))
    if not came:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in outcome.summary.failures.items())
        raise ScraperError(f"none of the pages could be recorded ({kinds}): try them with `scraper run` first")
    asked = [
        Asked(target.href, dict(target.extra) if target.extra else None)
        for target in listed.targets
        if target.key in came
    ]
    made_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return About(VERSION, made_at, digest, asked, outcome.summary.failures)


def _keys_of_rows(path: Path) -> set[int | None]:
    with path.open(encoding="utf-8") as lines:
        return {key_of(json.loads(line)["url"]) for line in lines}
