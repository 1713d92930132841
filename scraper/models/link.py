"""A process of a model as the loop sees it: its stream, and how it ended."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from typing import Any, cast

from scraper.errors import ParsePoolError
from scraper.models.frames import FrameReader, frame
from scraper.models.inline import overdue
from scraper.parse.process import Process, how_it_ended, spawn
from scraper.records import Parsed

START_ATTEMPTS = 3
"""So many processes in a row dying at their start are no page's fault: the run ends."""


WATCH_EVERY_S = 0.25
SLACK_S = 5.0
"""A process ends by its own clock first; this is for one that was stopped, or whose clock is."""


class Link(asyncio.Protocol):
    """The stream to one process. `on_record` gets what it sends, `on_lost` is called once, at the end of the stream."""

    def __init__(self, process: Process, on_record: Callable[[Any], None], on_lost: Callable[[], None]) -> None:
        """Made by `open_link`."""
        self.process = process
        self._on_record = on_record
        self._on_lost = on_lost
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self.silent_s = 0.0
        """How long it has said nothing, as `watch` counts: time in which this loop did not run does not count."""
        self.is_ready = False
        """It has said something: it did not die at its start."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self.silent_s = 0.0
        for record in self._reader.feed(data):
            self.is_ready = True
            self._on_record(record)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._on_lost()

    def send(self, record: object) -> None:
        """Send a record; what is sent to a dead process is lost."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame(record))

    def close(self, *, at_once: bool) -> None:
        """End the stream: an idle process ends at that. `at_once`: kill it."""
        if self._transport is not None:
            self._transport.abort()
        if at_once:
            self.process.kill()

    def refuse_to_start(self, failed_starts: int) -> ParsePoolError | None:
        """Why no further process is to be started, after so many in a row that died at their start."""
        if failed_starts < START_ATTEMPTS:
            return None
        return ParsePoolError(f"processes die at their start ({how_it_ended(self.process)})")

    def verdict(self, timeout_s: float) -> Parsed:
        """The outcome of the page that this process died on."""
        if self.process.poll() is None:
            how_it_ended(self.process)  # waits a moment for its status
        if self.process.returncode == -signal.SIGALRM:
            return overdue(timeout_s)
        return Parsed(None, "parse_crash", f"the process died on this page ({how_it_ended(self.process)})")


async def watch(links: Callable[[], Iterable[Link]], most_s: float) -> None:
    """Kill processes that owe an answer and have said nothing for so many seconds; until cancelled.

    `links`: gives those that owe one.
    """
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        for link in links():
            link.silent_s += WATCH_EVERY_S
            if link.silent_s > most_s:
                link.process.kill()


async def open_link(code: str, on_record: Callable[[Any], None], on_lost: Callable[[], None], *fds: int) -> Link:
    """Start a process that runs `code` with our stream in place of `{fd}`. Raises ParsePoolError where none starts."""
    try:
        process, ours = spawn(code, *fds)
    except OSError as exc:
        raise ParsePoolError(
            f"cannot start a process: {exc.strerror or exc}; lower parse.processes, or raise the limit on open files "
            "(ulimit -n) or on processes (ulimit -u)"
        ) from exc
    link = Link(process, on_record, on_lost)
    await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=ours)
    return link
