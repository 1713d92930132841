"""Replies read back from archives: those this program wrote, those others write, and those nobody should."""

import gzip
import io
import os
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scraper.budget import ByteBudget
from scraper.coding import decoded
from scraper.fetch.archive import ArchiveFetcher
from scraper.fetch.body import Unbounded
from scraper.parse.page import load_parser, parse_page
from scraper.records import ArchivePlace, Exchange, Fault, FieldSpec, Job, Page, ParsePlan, SourceLine, Target
from scraper.urls.canonical import target_from
from scraper.urls.permits import first_hop
from scraper.urls.sources import read_sources
from scraper.write.warc import warc_records, warcinfo

MakeJob = Callable[..., Job]
MAX_BODY = 1 << 20
URL = "http://a.example/"
INFO = warcinfo("pages.warc.gz", "scraper/1", "me/1", robots=True)
PARSER = load_parser(ParsePlan(fields=(FieldSpec("title", "title"),)))


def record(block: bytes, *, type: str = "response", length: int | str | None = None, more: str = "") -> bytes:
    """A record as others write it, not packed."""
    return (
        (
            f"WARC/1.0\r\nWARC-Type: {type}\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Target-URI: <{URL}>\r\n"
            f"WARC-Date: 2026-11-22T10:00:00Z\r\nContent-Type: application/http;msgtype={type}\r\n{more}"
            f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
        ).encode()
        + block
        + b"\r\n\r\n"
    )


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: text/html", *headers, "", ""]).encode() + body


async def lines_of(*files: Path) -> list[SourceLine]:
    return [line async for lines in read_sources([str(file) for file in files]) for line in lines]


async def read_all(file: Path, reservation: Any = None, **options: Any) -> list[Page | Fault]:
    """What becomes of each line of an archive."""
    found: list[Page | Fault] = []
    async with ArchiveFetcher(MAX_BODY, **options) as fetcher:
        for line in await lines_of(file):
            target = target_from(line)
            if isinstance(target, Target):
                page = await fetcher.fetch(first_hop(target), reservation or Unbounded())
                found.append(decoded(page, MAX_BODY) if isinstance(page, Page) else page)
            else:
                found.append(target)
    return found


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "a.warc") -> Path:
        file = tmp_path / name
        file.write_bytes(data)
        return file

    return write


async def one_of(archive: Any, data: bytes) -> Page | Fault:
    """What becomes of the one reply, the same in a plain file and in one gzip member."""
    (plain,) = await read_all(archive(data))
    (packed,) = await read_all(archive(gzip.compress(data), "a.warc.gz"))
    if isinstance(plain, Page):
        assert plain == packed
    else:
        assert isinstance(packed, Fault)
        assert plain.kind == packed.kind
    return plain


# -- what this program wrote -------------------------------------------------------------------------------------------

HTML = "<title>Größe</title>".encode("latin-1")
REPLIES = {
    "with a length": http(HTML, f"Content-Length: {len(HTML)}", "X-Odd: caf\xe9"),
    "chunked": http(b"%x\r\n%b\r\n0\r\n\r\n" % (len(HTML), HTML), "Transfer-Encoding: chunked"),
    "until the connection ends": http(HTML),
    "gzip": http(gzip.compress(HTML, mtime=0), "Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(HTML))}"),
    "empty": http(b"", "Content-Length: 0"),
    "204": http(b"", status="204 No Content"),
    "two lines of one header": http(HTML, "Content-Type: text/html", f"Content-Length: {len(HTML)}"),
}


@pytest.mark.parametrize("name", REPLIES)
async def test_row_of_a_page_read_again_is_that_of_the_first_time(
    name: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob, archive: Any
) -> None:
    server = await serve(REPLIES[name])
    client = await make_client(transport=wire, keep_heads=True)
    target = target_from(SourceLine(server.url.replace("http", "HTTP") + "x#y", 3, {"id": 7, "tag": ["a", None]}))
    assert isinstance(target, Target)
    page = await client.fetch(first_hop(target), Unbounded())
    assert isinstance(page, Page), page
    file = archive(INFO + warc_records(page), "pages.warc.gz")
    (again,) = await read_all(file, keep_heads=True)
    first = decoded(page, MAX_BODY)
    assert isinstance(first, Page)
    assert isinstance(again, Page), again
    assert parse_page(again, PARSER) == parse_page(first, PARSER)
    assert again.body == first.body
    assert len(server.requests) == 1


async def test_archive_made_of_an_archive_gives_the_same_pages(archive: Any) -> None:
    exchange = Exchange(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n", "10.0.0.1")
    page = Page("http://b.example/", URL, 200, "", b"<p>", 1.25, {"id": "7"}, close_delimited=True, exchange=exchange)
    (first,) = await read_all(archive(warc_records(page), "a.warc.gz"), keep_heads=True)
    assert isinstance(first, Page)
    (again,) = await read_all(archive(warc_records(first), "b.warc.gz"), keep_heads=True)
    assert again == first
    assert first.exchange == Exchange(b"", exchange.response_head, "10.0.0.1")
    assert (first.url, first.final_url, first.extra, first.fetched_at) == (page.url, URL, {"id": "7"}, 1.25)


async def test_body_is_read_only_once_there_is_memory_for_it(archive: Any) -> None:
    budget = ByteBudget(1 << 20)
    held = budget.reserve()
    await read_all(archive(record(http(b"x" * 5000))), held)
    assert held.held >= 5000


# -- what others write -------------------------------------------------------------------------------------------------

FOREIGN = {
    "plain": (http(b"<p>hi"), ""),
    "chunked still, as wget keeps it": (
        http(b"3;a=b\r\n<p>\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n", "Transfer-Encoding: chunked"),
        "",
    ),
    "plain, with the header of the chunked one": (http(b"<p>hi", "Transfer-Encoding: chunked"), ""),
    "gzipped": (http(gzip.compress(b"<p>hi"), "Content-Encoding: gzip"), ""),
    "plain, with the header of the gzipped one": (http(b"<p>hi", "Content-Encoding: gzip", "Content-Length: 3"), ""),
    "gzipped and chunked": (
        http(
            b"19\r\n" + gzip.compress(b"<p>hi", mtime=0) + b"\r\n0\r\n\r\n",
            "Content-Encoding: gzip",
            "Transfer-Encoding: chunked",
        ),
        "",
    ),
    "folded header, line ends without CR": (b"HTTP/1.0 200\nContent-Type: text/html;\n  charset=utf-8\n\n<p>hi", ""),
    "of HTTP/2": (b"HTTP/2 200\r\ncontent-type: text/html\r\n\r\n<p>hi", ""),
    "with fields of its own": (http(b"<p>hi"), "WARC-Odd: x\r\nWARC-Concurrent-To: <urn:uuid:2>\r\n"),
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_page_of_another_program_is_read(name: str, archive: Any) -> None:
    block, more = FOREIGN[name]
    page = await one_of(archive, record(block, more=more))
    assert isinstance(page, Page), page
    assert (page.body, page.url, page.final_url, page.fetched_at) == (b"<p>hi", URL, URL, 1795341600.0)
    assert page.close_delimited is (
        name not in ("of HTTP/2", "plain, with the header of the gzipped one") and "hunked" not in name
    )


@pytest.mark.parametrize("gzip_it", [False, True])
async def test_archive_that_warcio_wrote_is_read(gzip_it: bool, archive: Any) -> None:
    writer_of = pytest.importorskip("warcio.warcwriter").WARCWriter
    headers_of = pytest.importorskip("warcio.statusandheaders").StatusAndHeaders
    out = io.BytesIO()
    writer = writer_of(out, gzip=gzip_it)
    writer.write_record(writer.create_warcinfo_record("a", {"software": "x"}))
    for number in range(3):
        headers = headers_of("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        made = writer.create_warc_record(
            f"{URL}{number}", "response", payload=io.BytesIO(b"<p>hi"), length=5, http_headers=headers
        )
        writer.write_record(made)
    pages = await read_all(archive(out.getvalue(), "a.warc.gz"))
    assert [(page.final_url, page.body) for page in pages if isinstance(page, Page)] == [
        (f"{URL}{number}", b"<p>hi") for number in range(3)
    ]


# -- what has no page --------------------------------------------------------------------------------------------------

BOMB = gzip.compress(b"<p>" + bytes(2 * MAX_BODY))
FAULTS: dict[str, tuple[bytes, str, str]] = {
    "status": (record(http(b"", status="404 Not Found")), "http_status", "HTTP 404"),
    "server error": (record(http(b"", status="503 No")), "http_status", "HTTP 503"),
    "no HTTP": (record(b"hello\r\n\r\n"), "protocol", "no reply of HTTP"),
    "empty": (record(b""), "protocol", "a head without the blank line"),
    "head without an end": (record(b"HTTP/1.1 200 OK\r\nA: b\r\n"), "protocol", "a head without the blank line"),
    "head of many lines": (record(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300_000), "protocol", "a head of more than"),
    "head of one line": (record(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 2_000_000), "protocol", "a head of more than"),
    "body shorter than it says": (record(http(b"<p>", "Content-Length: 9")), "truncated", "3 of the body's 9 bytes"),
    "cut by its crawler": (record(http(b"<p>"), more="WARC-Truncated: time\r\n"), "truncated", "part of the reply"),
    "segment": (record(http(b"<p>"), more="WARC-Segment-Number: 1\r\n"), "truncated", "segmented"),
    "chunks cut": (record(http(b"9\r\n<p>", "Transfer-Encoding: chunked")), "truncated", "chunked body ends too early"),
    "chunks odd": (record(http(b"3\r\n<p>\r\nzz\r\n", "Transfer-Encoding: chunked")), "truncated", "not as long"),
    "too large": (record(http(bytes(MAX_BODY + 1))), "too_large", "raise it"),
    "chunks too large": (
        record(http(b"%x\r\n%b\r\n0\r\n\r\n" % (MAX_BODY + 1, bytes(MAX_BODY + 1)), "Transfer-Encoding: chunked")),
        "too_large",
        "raise it",
    ),
    "bomb": (record(http(BOMB, "Content-Encoding: gzip")), "too_large", "raise it"),
    "gzip cut": (record(http(gzip.compress(os.urandom(99))[:-4], "Content-Encoding: gzip")), "truncated", "ended"),
    "unknown coding": (record(http(b"x", "Content-Encoding: compress")), "decode", "none of those asked for"),
    "coding of the transfer": (record(http(b"x", "Transfer-Encoding: gzip")), "protocol", "Transfer-Encoding"),
    "no date": (record(http(b"x")).replace(b"WARC-Date: 2", b"WARC-Date: x2"), "protocol", "is no date"),
    "claims 10 GB": (record(http(b"<p>"), length=10 * 2**30), "too_large", "raise it"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_reply_that_is_no_page_has_one_failure(name: str, archive: Any) -> None:
    data, kind, words = FAULTS[name]
    fault = await one_of(archive, data)
    assert isinstance(fault, Fault), fault
    assert (fault.kind, words in fault.message) == (kind, True), fault
    assert "\n" not in fault.message


@pytest.mark.parametrize("wrong", [-2, 5])
async def test_page_whose_record_has_another_length_is_never_whole(wrong: int, archive: Any) -> None:
    block = http(b"<p>hello")
    data = record(block, length=len(block) + wrong)
    (plain, *_) = await read_all(archive(data + record(http(b"<p>next"))))
    (packed, *_) = await read_all(archive(gzip.compress(data) + gzip.compress(record(http(b"x"))), "a.warc.gz"))
    assert isinstance(plain, Fault)
    assert isinstance(packed, Fault)
    assert plain.kind in ("protocol", "truncated")


@pytest.mark.parametrize(("size", "kinds"), [(5000, ["invalid_url"]), (50_000, ["protocol", "invalid_url"])])
async def test_gzip_member_that_is_damaged_gives_no_page(size: int, kinds: list[str], archive: Any) -> None:
    """The one failure is that of the reply, where its URL could be read; the other tells that the rest is lost."""
    data = bytearray(INFO + gzip.compress(record(http(os.urandom(size))), 0) + gzip.compress(record(http(b"x"))))
    data[len(INFO) + size - 2000] ^= 1
    found = await read_all(archive(bytes(data), "a.warc.gz"))
    assert [fault.kind for fault in found if isinstance(fault, Fault)] == kinds
    assert isinstance(found[-1], Fault)
    assert f"damaged behind byte {len(INFO):,}, and what follows is lost" in found[-1].message


async def test_file_cut_anywhere_gives_a_page_or_one_failure(archive: Any) -> None:
    whole = gzip.compress(record(http(b"<p>hi" * 50)))
    for end in range(1, len(whole)):
        found = await read_all(archive(whole + whole[:end], "a.warc.gz"))
        assert len(found) == 2, end
        assert isinstance(found[0], Page)
        assert isinstance(found[1], Fault), end


@pytest.mark.parametrize("where", ["body", "behind", "head"])
async def test_memory_is_bounded_whatever_a_record_expands_to(where: str, archive: Any) -> None:
    zeros = bytes(64 * 2**20)
    blocks = {
        "body": record(http(zeros)),
        "behind": record(http(b"<p>")) + zeros,
        "head": record(http(b"<p>"), more="X: " + "y" * len(zeros) + "\r\n"),
    }
    file = archive(gzip.compress(blocks.pop(where), 1), "a.warc.gz")
    tracemalloc.start()
    try:
        found = await _failures_of(file)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found
    assert peak < 8 * 2**20


async def _failures_of(file: Path) -> list[Any]:
    from scraper.errors import SourceError

    try:
        return [found for found in await read_all(file) if isinstance(found, Fault)]
    except SourceError as exc:
        return [exc]


async def test_archive_that_is_gone_or_changed_has_one_failure_for_each_reply(archive: Any, job_for: MakeJob) -> None:
    file = archive(record(http(b"<p>"), type="request"))
    async with ArchiveFetcher(MAX_BODY) as fetcher:
        for place in (ArchivePlace(str(file), 0), ArchivePlace(str(file), 10**6), ArchivePlace("gone.warc", 0)):
            fault = await fetcher.fetch(
                Job(Target(1, URL, URL, "a.example", place=place), URL, "a.example"), Unbounded()
            )
            assert isinstance(fault, Fault)
            assert fault.kind == "protocol"
            assert place.file in fault.message


async def test_nothing_is_connected_to() -> None:
    assert await ArchiveFetcher(1).addresses_of("a.example") == ()


def test_bomb_is_one() -> None:
    assert len(zlib.decompress(BOMB, 31)) > MAX_BODY > len(BOMB)
