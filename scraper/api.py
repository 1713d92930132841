"""The Python API: the same engine as `scraper run`, with rows handed to the caller instead of a file.

    async for row in scrape(["https://a.example/"], fields={"title": "h1"}):
        print(row["title"])

Nothing is written and nothing is resumed. No signal handler is installed. Each row holds bytes of `run.memory` until
the caller takes it, so a slow caller slows the fetching, and memory stays bounded.
"""

import asyncio
import logging
import pickle
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
from msgspec.structs import replace

from scraper import loop as event_loop
from scraper.assemble import limits_of, parts_of
from scraper.config import Config, cautions, load_config, with_fields
from scraper.errors import ScraperError
from scraper.fetch.tls import check_tls
from scraper.ledger import OK
from scraper.models.blueprint import Blueprint
from scraper.models.choice import refuse_impossible
from scraper.parse.check import check_plan
from scraper.pipeline import Pipeline
from scraper.records import Failure, SourceLine
from scraper.write.writer import Entry

Row = dict[str, Any]
OnFailure = Callable[[Failure], None]

CHUNK = 500
"""URLs taken from the caller's iterable at a time."""
SYNC_ROWS = 256
"""Rows that wait for the caller of `scrape_sync` before the loop pauses."""

_log = logging.getLogger("scraper")


def scrape(
    urls: Iterable[str],
    fields: Mapping[str, Any] | None = None,
    *,
    config: Config | Path | str | None = None,
    on_failure: OnFailure | None = None,
) -> AsyncGenerator[Row, None]:
    """Scrape pages; gives a row for each as it is done, in no particular order.

    `urls`: any iterable, read as the run goes on. `fields`: as the `[fields]` table, `{"title": "h1"}`; None leaves the
    config's own. `config`: a Config, the path of a TOML file, or None for the defaults. Values have their Python types
    (Decimal, date, datetime). `on_failure` gets the Failure of each URL that gave no row; without it they are logged as
    warnings of the logger `scraper`.

    Raises ConfigError at once. Leave the loop early with `contextlib.aclosing`, so that workers end with the block.
    """
    if isinstance(urls, str | bytes):
        raise TypeError("urls: expected an iterable of URLs, got one text: put it into a list")
    settings = config if isinstance(config, Config) else load_config(Path(config) if config else None, ())
    if fields is not None:
        settings = with_fields(settings, fields)
    check_plan(settings.parse_plan())
    check_tls(settings.fetch)
    refuse_impossible(settings)
    for line in cautions(settings):
        _log.warning("%s", line)
    return _rows(urls, settings, on_failure or _log_failure)


def scrape_sync(
    urls: Iterable[str],
    fields: Mapping[str, Any] | None = None,
    *,
    config: Config | Path | str | None = None,
    on_failure: OnFailure | None = None,
) -> Generator[Row, None, None]:
    """`scrape` for code without a loop: the loop runs in a thread of its own. `on_failure` is called there."""
    return _rows_from_thread(scrape(urls, fields, config=config, on_failure=on_failure))


def _rows_from_thread(rows: AsyncGenerator[Row, None]) -> Generator[Row, None, None]:
    handover = _ThreadHandover()
    thread = threading.Thread(target=handover.run, args=(rows,), name="scrape", daemon=True)
    thread.start()
    try:
        while (row := handover.rows.get()) is not None:
            if isinstance(row, BaseException):
                raise row
            yield row
            handover.room.release()
    finally:
        handover.leave()
        thread.join()


class _ThreadHandover:
    """Rows on their way from the loop's thread to the caller's, at most SYNC_ROWS at a time."""

    def __init__(self) -> None:
        self.rows: SimpleQueue[Row | BaseException | None] = SimpleQueue()
        self.room = threading.Semaphore(SYNC_ROWS)
        self._cancel: Callable[[], object] = lambda: None
        self._has_begun = threading.Event()

    def run(self, rows: AsyncGenerator[Row, None]) -> None:
        """The life of the loop's thread."""
        try:
            event_loop.run(self._feed(rows))
        except asyncio.CancelledError:
            pass  # the caller has left
        except Exception as exc:  # handed to the caller's thread, which raises it
            self.rows.put(exc)
        finally:
            self._has_begun.set()
            self.rows.put(None)

    def leave(self) -> None:
        """The caller takes no further row."""
        self._has_begun.wait()
        self.room.release()
        with suppress(RuntimeError):  # the loop has come to its end already
            self._cancel()

    async def _feed(self, rows: AsyncGenerator[Row, None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        self._has_begun.set()
        async with aclosing(rows):
            async for row in rows:
                if not self.room.acquire(blocking=False):
                    await asyncio.to_thread(self.room.acquire)
                self.rows.put(row)


async def _rows(urls: Iterable[str], settings: Config, on_failure: OnFailure) -> AsyncGenerator[Row, None]:
    ready: asyncio.Queue[Entry | None] = asyncio.Queue()
    plan = replace(settings.parse_plan(), formats=("python",))
    outputs: list[_Handover] = []

    def open_output(on_commit: Callable[[list[Entry]], None], on_error: Callable[[ScraperError], None]) -> _Handover:
        outputs.append(_Handover(ready, on_commit))
        return outputs[0]

    pipeline = Pipeline(parts_of(Blueprint(settings, plan), _lines(urls), open_output), limits_of(settings, None))
    running = asyncio.ensure_future(_run(pipeline, ready))
    try:
        while (entry := await ready.get()) is not None:
            if entry.outcome == OK:
                yield pickle.loads(entry.line)
            else:
                on_failure(msgspec.json.decode(entry.line, type=Failure))
            outputs[0].taken(entry)
        await running
    finally:
        pipeline.abort()
        await asyncio.gather(running, return_exceptions=True)


async def _run(pipeline: Pipeline, ready: "asyncio.Queue[Entry | None]") -> None:
    try:
        await pipeline.run()
    finally:
        ready.put_nowait(None)


class _Handover:
    """The output of a pipeline whose rows go to a caller on the same loop."""

    busy_s = 0.0

    def __init__(self, ready: "asyncio.Queue[Entry | None]", on_commit: Callable[[list[Entry]], None]) -> None:
        self._ready = ready
        self._on_commit = on_commit

    def put(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._ready.put_nowait(entry)

    def commit_soon(self) -> None:
        """Only the caller can hurry."""

    def taken(self, entry: Entry) -> None:
        self._on_commit([entry])


async def _lines(urls: Iterable[str]) -> AsyncGenerator[list[SourceLine], None]:
    chunk: list[SourceLine] = []
    for number, url in enumerate(urls, 1):
        if not isinstance(url, str):
            raise TypeError(f"urls: expected texts, got {url!r:.80} as number {number}")
        chunk.append(SourceLine(url, number))
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _log_failure(failure: Failure) -> None:
    _log.warning("%s: %s: %s", failure.url, failure.error, failure.message)
