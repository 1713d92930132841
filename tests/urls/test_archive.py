"""Which replies of an archive become records of the input, and what is said where it cannot be read."""

import gzip
import io
import os
from pathlib import Path

import pytest

from scraper.errors import SourceError
from scraper.records import ArchivePlace, Exchange, Page, SourceLine
from scraper.urls.archive import read_archive
from scraper.urls.sources import are_archives, check_sources, may_carry_more, peek_columns, read_sources
from scraper.write.warc import warc_records, warcinfo

URL = "http://a.example/"
INFO = warcinfo("pages.warc.gz", "scraper/1", "me/1", robots=True)


def record(
    type: str = "response", block: bytes = b"HTTP/1.1 200 OK\r\n\r\nhi", *, uri: str = URL, id: str = "1", **fields: str
) -> bytes:
    given = {"Content-Type": f"application/http; msgtype={type}", "WARC-Target-URI": uri}
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    head = f"WARC/1.1\r\nWARC-Type: {type}\r\nWARC-Record-ID: <{id}>\r\n{lines}Content-Length: {len(block)}\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


def page(url: str = URL, final_url: str = URL, extra: dict | None = None) -> bytes:
    heads = Exchange(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", None)
    return warc_records(Page(url, final_url, 200, "", b"hi", 0.0, extra, exchange=heads))


def lines_of(data: bytes) -> list[SourceLine]:
    return [line for line in read_archive(io.BytesIO(data), "a.warc") if line is not None]


def urls_of(data: bytes) -> list[str]:
    return [line.text for line in lines_of(data)]


def packed(*records: bytes) -> bytes:
    return b"".join(map(gzip.compress, records))


REDIRECTS = [record(block=b"HTTP/1.1 %d Moved\r\n\r\n" % status) for status in (300, 301, 302, 303, 307, 308)]
NO_REPLIES = [
    record("warcinfo"),
    record("request"),
    record("metadata"),
    record("resource"),
    record("revisit"),
    record("conversion"),
    record(uri="dns:a.example", Content_Type="text/dns"),
    record(uri="ftp://a.example/x"),
    record(Content_Type="image/png"),
    *REDIRECTS,
]


@pytest.mark.parametrize("pack", [packed, lambda *records: b"".join(records)])
def test_replies_with_a_final_status_are_given_with_their_place(pack):
    first, bad = record(uri=URL + "1"), record(block=b"HTTP/1.1 404 No\r\n\r\n", uri=URL + "2")
    data = pack(*NO_REPLIES, first, *NO_REPLIES, bad)
    number, offset = len(NO_REPLIES) + 1, len(pack(*NO_REPLIES))
    assert lines_of(data) == [
        SourceLine(URL + "1", number, place=ArchivePlace("a.warc", offset)),
        SourceLine(URL + "2", 2 * number, place=ArchivePlace("a.warc", len(data) - len(pack(bad)))),
    ]


def test_own_archive_gives_back_the_records_of_the_first_list():
    found = lines_of(
        INFO + page() + page("HTTP://B.example", URL + "2", {"id": 1, "tags": ["ü\n"]}) + page(URL, URL + "3")
    )
    assert [(line.text, line.extra) for line in found] == [
        (URL, None),
        ("HTTP://B.example", {"id": 1, "tags": ["ü\n"]}),
        (URL, None),
    ]


ODD_METADATA = [
    b"via: http://referrer.example/\r\n",
    b"scraper-input: {\r\n",
    b'scraper-input: {"url": 7}\r\n',
    b"scraper-input: " + b"[" * 5000 + b"\r\n",
    b"\xff\xfe\0",
]


@pytest.mark.parametrize("block", ODD_METADATA)
def test_metadata_of_others_change_nothing(block):
    about = record("metadata", block, id="2", Content_Type="application/warc-fields", WARC_Concurrent_To="<1>")
    assert urls_of(record() + about) == [URL]


def test_metadata_of_another_reply_change_nothing():
    told = b'scraper-input: {"url": "http://b.example/"}\r\n'
    data = record() + record("metadata", told, WARC_Concurrent_To="<9>") + record(id="9", uri=URL + "9")
    assert urls_of(data) == [URL, URL + "9"]


def test_padding_between_records_is_no_damage():
    assert urls_of(record() + b"\r\n\r\n\0\0" + record(uri=URL + "2") + bytes(600)) == [URL, URL + "2"]
    assert urls_of(packed(record()) + bytes(600)) == [URL]


DAMAGES = {
    "garbage": (record() + b"garbage" + record(uri=URL + "2"), "no WARC record begins here but b'garbage"),
    "garbage behind a member": (packed(record()) + b"garbage", "no WARC record begins here"),
    "no length": (record() + record().replace(b"Content-Length: ", b"Content-Length: x"), "Content-Length is 'x"),
    "endless length": (
        record() + record().replace(b"Content-Length: ", b"Content-Length: " + b"9" * 99),
        "expected a number",
    ),
    "head without an end": (record() + b"WARC/1.1\r\nA: b\r\n", "without the blank line"),
    "head too long": (record() + b"WARC/1.1\r\nA: " + b"b" * 2_000_000, "a head of more than 1,048,576 bytes"),
    "member cut": (packed(record()) + packed(record("warcinfo"))[:-9], "cut"),
    "no gzip": (packed(record()) + b"\x1f\x8bgarbage", "damaged"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_ends_the_list_with_a_record_that_says_so(name):
    data, words = DAMAGES[name]
    first, last = lines_of(data)
    assert first.text == URL
    assert last.text == "a.warc"
    assert words in last.error
    assert "what follows is lost" in last.error
    assert "\n" not in last.error


def test_reply_that_is_cut_is_left_to_its_own_outcome():
    assert urls_of(record() + record(uri=URL + "2", block=b"HTTP/1.1 200 OK\r\n\r\n" + bytes(99))[:-50]) == [
        URL,
        URL + "2",
    ]


def test_member_with_more_than_its_record_does_no_harm_to_the_next():
    assert urls_of(packed(record() + b"surplus", record(uri=URL + "2"))) == [URL, URL + "2"]


REFUSED = {
    "a list": (b"http://a.example/\n", "is no WARC file: it begins with"),
    "a gzipped list": (gzip.compress(b"http://a.example/\n"), "is no WARC file"),
    "gzipped in one piece": (gzip.compress(record() * 3), "gzipped in one piece.*warcio recompress"),
    "an ARC file": (b"filedesc://a.arc 0.0.0.0 2026 text/plain 9\n", "is an ARC file"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(20), "packed with zstd"),
    "a WACZ file": (b"PK\x03\x04" + bytes(20), "WACZ"),
    "empty": (b"", "holds no URL: expected replies"),
    "without replies": (INFO, "holds no URL: expected replies"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_file_that_is_no_archive_is_refused_before_the_run(name, tmp_path):
    data, words = REFUSED[name]
    file = tmp_path / "a.warc.gz"
    file.write_bytes(data)
    with pytest.raises(SourceError, match=words) as caught:
        check_sources([str(file)])
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


# -- among the sources -------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pages.warc.gz"
    path.write_bytes(INFO + b"".join(page(f"{URL}{n}", f"{URL}{n}", {"id": n}) for n in range(100)))
    return str(path)


async def test_archive_is_a_source(file):
    batches = [lines async for lines in read_sources([file])]
    assert max(map(len, batches)) <= 32
    found = [line for lines in batches for line in lines]
    assert [line.text for line in found] == [f"{URL}{n}" for n in range(100)]
    assert {line.place.file for line in found} == {file}


def test_other_columns_of_an_archive_are_known_before_the_run_as_far_as_its_first_reply(file):
    assert peek_columns([file]) == ("id",)
    assert may_carry_more([file])


@pytest.mark.parametrize(
    ("specs", "expected"), [(["FILE"], True), (["FILE", URL], False), (["x.txt"], False), ([], False)]
)
def test_run_knows_whether_it_reads_archives_alone(file, specs, expected):
    assert are_archives([file if spec == "FILE" else spec for spec in specs]) is expected


def test_name_without_the_suffix_can_be_said_to_be_an_archive(file, tmp_path):
    other = tmp_path / "archive"
    other.write_bytes(Path(file).read_bytes())
    check_sources([str(other)], format="warc")
    with pytest.raises(SourceError, match="--source-format warc"):
        check_sources([str(other)])


@pytest.mark.parametrize(
    ("others", "format", "words"),
    [
        ([URL], None, f"and {URL} is not"),
        (["-"], None, "and - is not"),
        (["-"], "warc", "cannot be standard input"),
    ],
)
def test_archive_beside_other_sources_is_refused_in_one_line(file, others, format, words):
    with pytest.raises(SourceError, match=words) as caught:
        check_sources([file, *others], format=format)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made on Unix only")
def test_pipe_is_no_archive(tmp_path):
    os.mkfifo(tmp_path / "a.warc")
    with pytest.raises(SourceError, match="save it first"):
        check_sources([str(tmp_path / "a.warc")])
