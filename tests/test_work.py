"""A worker's work on one page: whatever a page and the user's own function provoke, it ends in an outcome."""

import asyncio
import gzip
import json
import pickle
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scraper.parse.pool import ParsePool, PoolOptions
from scraper.parse.wire import Setup
from scraper.records import Column, Exchange, Page, Parsed, ParsePlan
from scraper.work import BUILD, build

SOURCE = """
import sys
class Mute(Exception):
    def __str__(self): raise RuntimeError("no words")
class Panic(BaseException): pass
def good(page, tree): return {"n": 1}
def seen(page, tree): return {"seen": [page.coding, len(page.body), tree.css_first("h1").text()]}
def surrogate(page, tree): raise ValueError("half \\ud800 a pair")
def leaving(page, tree): sys.exit(3)
def leaving_silently(page, tree): sys.exit()
def interrupting(page, tree): raise KeyboardInterrupt
def panicking(page, tree): raise Panic("of a library")
def mute(page, tree): raise Mute
def memory(page, tree): raise MemoryError
"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n"
MANY_BYTES = 1_000_000
BIG = 123456789012345678901234567890


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "own_work.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *(entry for entry in sys.path if entry)])
    yield tmp_path
    sys.modules.pop("own_work", None)


def page(extra: dict[str, Any] | None = None, content_type: str = "text/html") -> Page:
    return Page("http://a/", "http://a/", 200, content_type, b"<h1>x</h1>", 0.0, extra)


def plan(function: str | None = None, format: str = "jsonl", columns: tuple[str, ...] = ()) -> ParsePlan:
    return ParsePlan(
        function=function and f"own_work:{function}", formats=(format,), columns=tuple(map(Column, columns))
    )


FAILING = [
    ("surrogate", "parse_crash", "half \\ud800 a pair"),
    ("leaving", "parse_crash", "SystemExit: 3"),
    ("leaving_silently", "parse_crash", "SystemExit"),
    ("interrupting", "parse_crash", "KeyboardInterrupt"),
    ("panicking", "parse_crash", "Panic: of a library"),
    ("mute", "parse_crash", "no words"),
    ("memory", "parse_memory", "more memory than parse.max_memory"),
]


@pytest.mark.parametrize(("function", "kind", "words"), FAILING)
def test_what_the_users_function_raises_is_the_pages_outcome(function: str, kind: str, words: str) -> None:
    parsed = build(plan(function))(page())
    assert (parsed.row, parsed.kind) == (None, kind)
    assert words in parsed.message
    parsed.message.encode()


def test_error_that_cannot_be_put_into_words_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fail(page: Page, parser: object) -> None:
        raise MuteError

    monkeypatch.setattr("scraper.work.parse_page", fail)
    assert build(plan())(page()) == Parsed(None, "parse_crash", "MuteError, whose text cannot be had")


def test_fault_of_the_page_keeps_its_kind() -> None:
    parsed = build(plan())(page(content_type="image/png"))
    assert parsed.kind == "not_html"


def test_row_that_cannot_be_encoded_is_the_pages_failure() -> None:
    parsed = build(plan())(page({"name": "\ud800"}))
    assert parsed.kind == "parse_crash"
    assert "UnicodeEncodeError" in parsed.message


@pytest.mark.parametrize("number", [BIG, -BIG, 2**64, -(2**63) - 1, 10**4299])
def test_integer_of_any_length_reaches_the_row_unchanged(number: int) -> None:
    as_json, as_csv, as_python = (
        build(plan(format=format, columns=("id",)))(page({"id": number})).row for format in ("jsonl", "csv", "python")
    )
    assert as_json is not None
    assert as_python is not None
    assert json.loads(as_json)["id"] == number
    assert as_csv == b"%d\r\n" % number
    assert pickle.loads(as_python)["id"] == number


@pytest.mark.parametrize("format", ["sqlite", "postgres", "duckdb", "parquet"])
def test_value_that_its_column_cannot_hold_is_the_pages_failure(format: str) -> None:
    typed = replace(plan(format=format), columns=(Column("url"), Column("id", "int")))
    parsed = build(typed)(page({"id": 2**63}))
    assert (parsed.row, parsed.kind) == (None, "parse_crash")
    assert parsed.message == "id: 9223372036854775808 does not fit its column of type int: declare the field as str"


def test_several_stores_get_their_piece_of_each_row_in_order() -> None:
    parsed = build(replace(plan(columns=("id",)), formats=("csv", "jsonl", "warc")))(
        replace(page({"id": 7}), exchange=Exchange(b"", HEAD, None))
    )
    as_csv, as_json, archived = msgspec.msgpack.decode(parsed.row or b"", type=list[bytes])
    assert as_csv == b"7\r\n"
    assert json.loads(as_json)["id"] == 7
    assert gzip.decompress(archived).startswith(b"WARC/1.1\r\n")


def test_page_without_a_row_is_kept_by_archives_alone() -> None:
    failed = page(content_type="image/png")
    assert build(plan())(failed).row is None
    parsed = build(replace(plan(), formats=("jsonl", "warc")))(replace(failed, exchange=Exchange(b"", HEAD, None)))
    assert parsed.kind == "not_html"
    as_json, archived = msgspec.msgpack.decode(parsed.row or b"", type=list[bytes])
    assert (as_json, archived[:2]) == (b"", b"\x1f\x8b")


@pytest.mark.parametrize("max_body", [MANY_BYTES, MANY_BYTES - 1])
def test_page_is_decoded_before_anyone_sees_it(max_body: int) -> None:
    body = b"<h1>x</h1>" + b" " * (MANY_BYTES - 10)
    coded = replace(page(), body=gzip.compress(body), coding="gzip")
    parsed = build(replace(plan("seen"), max_body=max_body))(coded)
    if max_body < MANY_BYTES:
        assert (parsed.row, parsed.kind) == (None, "too_large")
        assert "fetch.max_body (999,999 bytes)" in parsed.message
    else:
        assert parsed.row is not None
        assert json.loads(parsed.row)["seen"] == ["", MANY_BYTES, "x"]


@pytest.mark.parametrize(("body", "kind"), [(gzip.compress(b"<p>a")[:-1], "truncated"), (b"plain", "decode")])
def test_page_that_cannot_be_decoded_keeps_its_kind(body: bytes, kind: str) -> None:
    parsed = build(plan())(replace(page(), body=body, coding="gzip"))
    assert (parsed.row, parsed.kind) == (None, kind)
    assert parsed.message


async def test_decoding_counts_for_the_memory_of_its_page_alone() -> None:
    bomb = replace(page(), body=gzip.compress(bytes(10 << 20), 1) * 60, coding="gzip")
    huge = replace(plan("good"), max_body=1 << 30)
    parsed, restarts = await outcomes(huge, [page(), bomb, page()], max_memory=1 << 29)
    assert [result.kind for result in parsed] == [None, "parse_memory", None]
    assert restarts == 1


async def test_decoding_counts_for_the_time_of_its_page_alone() -> None:
    dripping = replace(page(), body=gzip.compress(b"a", 1) * 1_500_000, coding="gzip")
    slow = replace(plan("good"), max_body=1 << 30)
    parsed, _ = await outcomes(slow, [page(), dripping, page()], timeout_s=1.0)
    assert [result.kind for result in parsed] == [None, "parse_timeout", None]


async def test_mark_and_coding_of_a_page_pass_through_a_real_worker() -> None:
    marked = replace(page(), body=zlib.compress(gzip.compress(b"<h1>x")), coding="gzip, deflate", close_delimited=True)
    parsed, _ = await outcomes(plan("seen"), [marked, page()])
    rows = [json.loads(result.row or b"") for result in parsed]
    assert rows[0]["close_delimited"] is True
    assert rows[0]["seen"] == ["", 5, "x"]
    assert "close_delimited" not in rows[1]


async def test_worker_lives_on_whatever_the_users_function_raises() -> None:
    for function, kind, words in FAILING[:3]:
        parsed, restarts = await outcomes(plan(function), [page(), page({"id": BIG})])
        assert [(result.kind, words in result.message) for result in parsed] == [(kind, True)] * 2
        assert restarts == 0


async def test_long_integer_passes_through_a_real_worker() -> None:
    (parsed,), restarts = await outcomes(plan("good"), [page({"id": BIG})])
    assert parsed.row is not None
    assert json.loads(parsed.row)["id"] == BIG
    assert restarts == 0


async def outcomes(
    plan: ParsePlan, pages: list[Page], *, max_memory: int = 0, timeout_s: float = 30.0
) -> tuple[list[Parsed], int]:
    """What comes back for pages, in their order, and how many workers had to be replaced."""
    results: dict[int, Parsed] = {}
    arrived = asyncio.Event()

    def take(batch: list[tuple[int, Parsed]]) -> None:
        results.update(batch)
        if len(results) == len(pages):
            arrived.set()

    setup = Setup(BUILD, plan, tuple(sys.path), timeout_s, max_memory)
    async with ParsePool(setup, PoolOptions(1, 1000, 0.001, timeout_s), take) as pool:
        for number, one in enumerate(pages):
            pool.submit(number, one)
        await asyncio.wait_for(arrived.wait(), 30)
    return [results[number] for number in range(len(pages))], pool.stats.restarts
