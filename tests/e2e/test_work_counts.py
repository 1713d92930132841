"""How much work one page is, counted and not timed: a change that makes pages dearer fails here on any machine.

Two runs that differ in nothing but their number of pages tell what a page costs apart from the start and the end. What
hangs on time as well (batches by age, results of slow pages) is bounded by the time that the run took.
"""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import httpx
import msgspec
import pytest

import scraper.fetch.client as client_module
import scraper.parse.page as page_module
from scraper.parse.pool import WATCH_EVERY_S, ParsePool, PoolOptions
from scraper.parse.wire import Setup
from scraper.parse.worker import FLUSH_AFTER_S
from scraper.records import FieldSpec, Page, Parsed, ParsePlan
from scraper.work import build

FEW, MANY = 100, 300
ONE_COMMIT = "write.commit_every=1h"
BATCHES = ("parse.batch_bytes=32KiB", "parse.batch_age=250ms")

PYTHON_CALLS = 157
"""Python functions entered for a page on the loop's thread: 152-154 with Python 3.11, some 4 fewer with 3.13: the
smaller the batches, the more. Where a change takes some away, lower this."""
C_CALLS = 133
"""Built-in functions called there: 127-130 with Python 3.11, one fewer with 3.13. Telemetry has 8 of them: four clocks
are read and four logarithms taken, 0.4 us together."""
LOOKS = 4
"""At the pipeline's state, whatever the number of pages: when it begins, when the pages end, when the writer does, and
for the summary. In between the monitor looks by the clock, which stands still here."""
WAKE_UPS = 2
"""By the wire, for a page at most: head and body. A body that came with its head wakes nobody: 1.0 to 1.4 now."""
FSYNCS_A_COMMIT = 3
"""The rows' file, the failures' file, the journal."""


@pytest.fixture(scope="module")
def few(count_run):
    return count_run(FEW, ONE_COMMIT, *BATCHES)


@pytest.fixture(scope="module")
def many(count_run):
    return count_run(MANY, ONE_COMMIT, *BATCHES)


HANDLERS = str(Path(__file__).parent / "handlers")


def page_of(body: bytes) -> Page:
    return Page("http://a/", "http://a/", 200, "text/html", body, 0.0)


def a_page(few, many, count) -> float:
    """What a page adds to a count."""
    return (count(many) - count(few)) / (many.pages - few.pages)


def calls_a_page(few, many) -> str:
    """What is called for a page, to be compared with the same of a run that was within its bound."""
    names = sorted(many.calls, key=lambda name: few.calls[name] - many.calls[name])
    counts = {name: a_page(few, many, lambda work: work.calls[name]) for name in names}  # noqa: B023 - called at once
    return "\n".join(f"{count:5.2f} {name}" for name, count in counts.items() if count >= 0.1)


# -- the loop ---------------------------------------------------------------------------------------------------------


def test_no_task_is_made_for_a_page(few, many):
    assert len(many.tasks) == len(few.tasks), Counter(many.tasks) - Counter(few.tasks)


def test_no_thread_is_asked_for_a_page_at_a_literal_address(few, many):
    assert len(many.hops) == len(few.hops), Counter(many.hops) - Counter(few.hops)


def test_one_timer_a_page_and_one_a_batch(many):
    """The page's deadline, a batch's age, and the pool's watch; the rest is of the start and the end."""
    watch = many.seconds / WATCH_EVERY_S
    assert len(many.timers) <= many.pages + len(many.batches) + watch + 5, Counter(many.timers)


def test_loop_is_woken_at_most_twice_a_page_and_by_the_wire_alone(few, many):
    grown = Counter(many.wake_ups) - Counter(few.wake_ups)
    assert len(grown) == 1, f"the writer has one commit in both runs, so only the wire has more to say: {grown}"
    assert all(many.wake_ups.count(kind) <= WAKE_UPS * many.pages for kind in grown), grown


def test_task_goes_on_for_a_page_only_when_the_loop_was_woken_for_it(few, many):
    """No pause for the sake of others, no wait for a lock. One task more may have to wait for its first job."""
    assert a_page(few, many, lambda work: len(work.turns) - len(work.wake_ups)) <= 0.2, Counter(many.turns)


def test_python_functions_entered_for_a_page(few, many):
    calls = a_page(few, many, lambda work: work.python_calls)
    assert calls <= PYTHON_CALLS, calls_a_page(few, many)


def test_built_in_functions_called_for_a_page(few, many):
    calls = a_page(few, many, lambda work: work.c_calls)
    assert calls <= C_CALLS, calls_a_page(few, many)


# -- objects that are dear to make -------------------------------------------------------------------------------------


def test_url_is_parsed_once_a_page(few, many):
    assert a_page(few, many, lambda work: len(work.url_parses)) == 1


def test_no_httpx_url_is_made(many):
    assert many.calls_of("httpx/_urls.py:URL.__init__", "urllib/parse.py:urlsplit") == 0


def test_httpx_headers_are_made_once_a_page(few, many):
    """By httpx.Response itself, empty; those of the request are shared, those of the answer stay with the wire."""
    made = "httpx/_models.py:Headers.__init__"
    assert few.calls_of(made) > 0, "those of the requests, once a run"
    assert a_page(few, many, lambda work: work.calls_of(made)) <= 1


def test_no_date_is_formatted_for_a_page(few, many):
    dates = ("datetime.now", "datetime.isoformat", "datetime.fromtimestamp", "datetime.strftime", "strftime")
    assert many.calls_of(*dates) == few.calls_of(*dates)


def test_nothing_is_logged_or_measured_for_a_page_without_progress(many):
    assert many.calls_into("scraper/cli/progress.py", "/rich/", "/logging/") == {}
    assert many.calls_of("Pipeline.sample") == LOOKS


def test_progress_looks_at_the_clock_and_not_at_pages(count_run, many):
    work = count_run(MANY, ONE_COMMIT, *BATCHES, progress=True)
    assert 1 <= work.calls_of("Pipeline.sample") - LOOKS <= 1 + work.seconds / 0.2, "no more than live progress takes"


# -- to the workers and back -------------------------------------------------------------------------------------------


def test_pages_go_to_workers_in_batches_by_bytes(many):
    """Each batch is full but those that leave for their age."""
    parse = many.config.parse
    full = many.body_bytes / parse.batch_bytes
    assert len(many.batches) <= full + many.seconds / parse.batch_age + 1


def test_message_to_a_worker_is_one_write_of_the_heads_and_one_piece_a_page(many):
    assert len(many.sent) == len(many.batches) + many.config.parse.processes, "a setup for each worker besides"
    assert sum(map(len, many.batches)) == many.pages + len(many.batches)


def test_results_come_by_the_batch(many):
    """One message a batch, one a worker when it is ready, and one for each 50 ms that a batch takes."""
    least = len(many.batches) + many.config.parse.processes
    slow = many.config.parse.processes * many.seconds / FLUSH_AFTER_S
    assert least <= many.calls_of("ParsePool.on_worker_results") <= least + slow


class NotingWire(httpx.AsyncBaseTransport):
    """A wire that keeps the pieces of each body that it gives."""

    def __init__(self, wire: httpx.AsyncBaseTransport, bodies: list[list[bytes]]) -> None:
        self._wire = wire
        self._bodies = bodies

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._wire.handle_async_request(request)
        self._bodies.append([])
        response.stream = NotingStream(response.stream, self._bodies[-1])
        return response

    async def aclose(self) -> None:
        await self._wire.aclose()


class NotingStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, pieces: list[bytes]) -> None:
        self._stream = stream
        self._pieces = pieces

    async def __aiter__(self):
        async for piece in self._stream:
            self._pieces.append(piece)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def test_body_comes_in_one_piece_and_that_object_is_written_to_the_worker(count_run, monkeypatch):
    bodies: list[list[bytes]] = []
    make = client_module.make_transport
    monkeypatch.setattr(client_module, "make_transport", lambda config: NotingWire(make(config), bodies))
    work = count_run(50, ONE_COMMIT, "politeness.robots=false")
    assert [len(pieces) for pieces in bodies] == [1] * 50
    written = {id(piece) for pieces in work.batches for piece in pieces}  # all are still held, so an id is one object
    assert all(id(piece) in written for (piece,) in bodies), "0 copies between the wire and the worker's socket"


async def from_one_worker(bodies: list[bytes]) -> list[tuple[bool, int]]:
    """For each body of one batch: (is it the very object that the socket gave, receives of that worker so far)."""
    rows: dict[int, tuple[bool, int]] = {}
    all_came = asyncio.Event()

    def take(results: list[tuple[int, Parsed]]) -> None:
        rows.update((number, tuple(msgspec.json.decode(parsed.row))) for number, parsed in results)
        if len(rows) == len(bodies):
            all_came.set()

    setup = Setup("receiving_handlers:build", ParsePlan(), (*sys.path, HANDLERS), 30.0, 0)
    async with ParsePool(setup, PoolOptions(1, sum(map(len, bodies)), 30.0, 30.0), take) as pool:
        for number, body in enumerate(bodies):
            pool.submit(number, page_of(body))
        await asyncio.wait_for(all_came.wait(), 30)
    return [rows[number] for number in range(len(bodies))]


async def test_worker_parses_the_object_that_its_socket_gave_after_one_receive_a_page():
    bodies = [b"a" * size for size in (100, 30_000, 290_000, 3_000_000)]
    assert await from_one_worker(bodies) == [(True, 2 + len(bodies))] * len(bodies), "length, heads, and each body once"


@pytest.mark.parametrize("plan", [ParsePlan(), ParsePlan(fields=(FieldSpec("t", "title"), FieldSpec("n", "p")))])
def test_page_in_utf_8_is_parsed_once_and_from_the_very_body(monkeypatch, plan):
    parsed: list[object] = []
    parser = page_module.LexborHTMLParser
    monkeypatch.setattr(
        page_module, "LexborHTMLParser", lambda html, **options: parsed.append(html) or parser(html, **options)
    )
    body = "<meta charset=utf-8><title>Größe</title><p>a<p>b".encode()
    assert build(plan)(page_of(body)).row is not None
    assert [html is body for html in parsed] == [True], "one parse a page, no copy or decoded text of its body"


# -- the disk ----------------------------------------------------------------------------------------------------------


def test_run_within_one_commit_forces_the_disk_no_oftener_for_more_pages(few, many):
    assert few.commits == many.commits == 1
    assert len(many.fsyncs) == len(few.fsyncs) <= 2 + FSYNCS_A_COMMIT, "the journal's first two lines, the commit"
    assert len(many.fsyncs) >= 2, "rows and journal"


def test_commits_follow_the_clock(count_run):
    work = count_run(MANY, "write.commit_every=20ms")
    assert 2 <= work.commits <= work.seconds / 0.020 + 1
    assert 2 * work.commits <= len(work.fsyncs) <= 2 + FSYNCS_A_COMMIT * work.commits


def test_commits_follow_the_bytes_of_rows(count_run):
    work = count_run(MANY, ONE_COMMIT, "write.commit_bytes=64KiB")
    assert 2 <= work.commits <= work.row_bytes / 65_536 + 1
    assert 2 * work.commits <= len(work.fsyncs) <= 2 + FSYNCS_A_COMMIT * work.commits


def test_rows_are_written_once_a_message_of_a_worker(many):
    assert sum(many.row_writes) == many.row_bytes
    messages = many.calls_of("ParsePool.on_worker_results")
    assert len(many.row_writes) <= many.calls_of("LocalEngine._on_parsed") <= messages
