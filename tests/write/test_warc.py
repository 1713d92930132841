"""The records of a page, read back with warcio, which is another's reading of the standard."""

import doctest
import gzip
import io
import zlib
from argparse import Namespace
from pathlib import Path

import msgspec
import pytest

from scraper.records import Exchange, Page
from scraper.write import warc
from scraper.write.warc import archived_head, warc_records, warcinfo

warcio = pytest.importorskip("warcio", reason="the package warcio reads the archives")
ArchiveIterator = pytest.importorskip("warcio.archiveiterator").ArchiveIterator
Checker = pytest.importorskip("warcio.checker").Checker

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Name: caf\xe9\r\n\r\n"
REQUEST = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n"
URL = "http://a.example/x"
INFO = warcinfo("pages.warc.gz", "scraper/1", "me/1", robots=True)


def page(**fields) -> Page:
    given = {"url": URL, "final_url": URL, "body": b"<p>hi", "exchange": Exchange(REQUEST, PLAIN, "127.0.0.1")}
    return Page(**{"status": 200, "content_type": "text/html", "fetched_at": 1.5, **given, **fields})


def read(data: bytes) -> list[tuple[dict[str, str], bytes]]:
    """(named fields, block) of each record."""
    records = ArchiveIterator(io.BytesIO(data), no_record_parse=True)
    return [(dict(record.rec_headers.headers), record.raw_stream.read()) for record in records]


PAGES = {
    "plain": page(),
    "empty": page(body=b""),
    "coded": page(body=gzip.compress(b"<p>hi"), coding="gzip"),
    "redirected, with columns": page(url="http://b.example/", extra={"id": 7, "name": "Größe\n"}),
    "HTTP/2": page(exchange=Exchange(REQUEST, b"HTTP/2 200 OK\r\ncontent-type: text/html\r\n\r\n", None)),
    "chunked": page(exchange=Exchange(REQUEST, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None)),
    "of another archive": page(exchange=Exchange(b"", PLAIN, None)),
}


@pytest.mark.parametrize("name", PAGES)
def test_warcio_finds_every_digest_right(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pages.warc.gz"
    file.write_bytes(INFO + warc_records(PAGES[name]))
    assert Checker(Namespace(inputs=[str(file)], verbose=True)).process_all() == 0
    told = capsys.readouterr()
    assert "digest pass" in told.out
    assert "no digest" not in told.out
    assert told.err == ""


@pytest.mark.parametrize("name", PAGES)
def test_each_record_is_a_gzip_member_of_its_own(name: str) -> None:
    data, members = INFO + warc_records(PAGES[name]), 0
    while data:
        member = zlib.decompressobj(31)
        record = member.decompress(data)
        assert record.startswith(b"WARC/1.1\r\n")
        assert record.endswith(b"\r\n\r\n")
        data, members = member.unused_data, members + 1
    expected = 3 + (name == "redirected, with columns") - (name == "of another archive")
    assert members == expected


def test_reply_and_request_are_kept_to_the_byte_and_belong_together() -> None:
    (response, reply), (request, asked) = read(warc_records(page()))
    assert reply == PLAIN + b"<p>hi"
    assert asked == REQUEST
    assert [response["WARC-Type"], request["WARC-Type"]] == ["response", "request"]
    assert request["WARC-Concurrent-To"] == response["WARC-Record-ID"]
    assert {key: response[key] for key in ("WARC-Target-URI", "WARC-Date", "WARC-IP-Address")} == {
        "WARC-Target-URI": URL,
        "WARC-Date": "1970-01-01T00:00:01.500Z",
        "WARC-IP-Address": "127.0.0.1",
    }


def test_metadata_tell_what_the_input_said_on_one_line() -> None:
    extra = {"id": 7, "name": "Größe\r\nWARC/1.1", "big": 2**70}
    _, _, (fields, block) = read(warc_records(page(url="http://b.example/ü\n", extra=extra)))
    via, told = block.decode().splitlines()
    assert fields["WARC-Type"] == "metadata"
    assert via == "via: http://b.example/ü%0A"
    assert msgspec.json.decode(told.removeprefix("scraper-input: ")) == {"url": "http://b.example/ü\n", "extra": extra}


def test_url_that_is_only_written_another_way_was_not_come_to_by_a_redirect() -> None:
    _, _, (_, block) = read(warc_records(page(url="HTTP://A.example:80/x#part")))
    assert block == b'scraper-input: {"url":"HTTP://A.example:80/x#part"}\r\n'


def test_reply_by_http_2_takes_the_form_of_http_1_and_says_so() -> None:
    (response, reply), *_ = read(warc_records(PAGES["HTTP/2"]))
    assert response["WARC-Protocol"] == "h2"
    assert reply == b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nContent-Length: 5\r\n\r\n<p>hi"


def test_file_begins_with_what_made_it() -> None:
    ((fields, block),) = read(INFO)
    assert (fields["WARC-Type"], fields["WARC-Filename"]) == ("warcinfo", "pages.warc.gz")
    told = dict(line.split(": ", 1) for line in block.decode().splitlines())
    assert (told["software"], told["http-header-user-agent"], told["robots"]) == ("scraper/1", "me/1", "obey")
    assert read(warcinfo("a", "b", "c", robots=False))[0][1].find(b"robots: ignore") > 0


HEADS = [
    (b"Content-Length: 2", b"Content-Length: 2"),
    (b"X: y", b"X: y"),
    (b"Content-Length: 9|transfer-encoding:Chunked", b"X-Archive-Orig-transfer-encoding:Chunked|Content-Length: 2"),
    (b"Transfer-Encoding: identity", b"Transfer-Encoding: identity"),
    (b"Set-Cookie: a|Set-Cookie: b", b"Set-Cookie: a|Set-Cookie: b"),
]


@pytest.mark.parametrize(("lines", "kept"), HEADS)
def test_head_is_made_true_for_the_body_behind_it(lines: bytes, kept: bytes) -> None:
    def head(text: bytes) -> bytes:
        return b"HTTP/1.0 200 OK\r\n" + text.replace(b"|", b"\r\n") + b"\r\n\r\n"

    assert archived_head(head(lines), 2) == head(kept)


def test_head_without_any_header_is_kept() -> None:
    assert archived_head(b"HTTP/1.0 200 OK\r\n\r\n", 2) == b"HTTP/1.0 200 OK\r\n\r\n"


def test_page_that_came_without_its_heads_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="keep_heads"):
        warc_records(page(exchange=None))


def test_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(warc).failed == 0
