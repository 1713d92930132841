import doctest
import gzip
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls import formats
from scraper.urls.formats import FORMATS, ListReader, format_of

URL = "http://a.example/"
PIECES = [
    b"\n",
    b"\r\n",
    b"url",
    b",",
    b'"',
    b"#",
    b'{"url":"x"}',
    b"http://a.example/",
    b"\xff",
    b"\xef\xbb\xbf",
    b" ",
]


def read(data: bytes, form="txt", cuts=()) -> list[SourceLine] | str:
    """Give all records, or the text of the SourceError."""
    reader = ListReader("list", form)
    edges = [0, *sorted(cuts), len(data)]
    try:
        batches = [batch for a, b in pairwise(edges) for batch in reader.feed(data[a:b])]
        batches += reader.finish()
    except SourceError as exc:
        return str(exc)
    assert all(batches)
    return [record for batch in batches for record in batch]


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(formats).failed == 0


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("urls.txt", "txt"),
        ("urls", "txt"),
        ("urls.list", "txt"),
        ("a.csv/urls", "txt"),
        ("urls.CSV", "csv"),
        ("urls.csv.gz", "csv"),
        ("urls.tsv", "tsv"),
        ("urls.jsonl", "jsonl"),
        ("urls.ndjson.gz", "jsonl"),
        ("urls.2026.jsonl", "jsonl"),
        ("urls.gz", "txt"),
        ("-", "txt"),
    ],
)
def test_suffix_tells_the_form(name, form):
    assert format_of(name) == form


@pytest.mark.parametrize("name", ["a.json", "a.xml", "a.xml.gz", "a.xlsx", "a.parquet"])
def test_known_other_forms_are_refused_unless_one_is_chosen(name):
    with pytest.raises(SourceError, match=name):
        format_of(name)
    assert format_of(name, "jsonl") == "jsonl"


def test_unknown_form_is_refused_naming_the_known_ones():
    with pytest.raises(SourceError, match="unknown list format 'yaml': expected one of txt, csv, tsv, jsonl"):
        format_of("urls.txt", "yaml")


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("txt", f"{URL}\n"),
        ("txt", URL),
        ("csv", f"url\n{URL}\n"),
        ("csv", f"url;n\r\n{URL};"),
        ("tsv", f"n\turl\n1\t{URL}"),
        ("jsonl", f'{{"url": "{URL}"}}'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_form_is_read_in_every_packing(form, data, encoding, pack):
    (record,) = read(pack(data.encode(encoding)), form)
    assert (record.text, record.error) == (URL, None)


@pytest.mark.parametrize("form", ["txt", "jsonl"])
def test_empty_list_has_no_records(form):
    assert read(b"", form) == []


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0", b"http://a.example/\n\0", gzip.compress(b"a\nb\nc\nd\n\0")])
@pytest.mark.parametrize("form", FORMATS)
def test_binary_file_is_refused(data, form):
    assert "list is a binary file" in read(data, form)


@pytest.mark.parametrize("form", ["txt", "jsonl"])
def test_binary_file_is_refused_however_it_is_cut(form):
    assert "list is a binary file" in read(b"http://a.example/\n\0", form, range(19))


def test_nul_far_into_a_list_spoils_only_its_line():
    found = read(b"# " + b"x" * 9000 + b"\n\0\nhttp://a.example/\n")
    assert [record.text for record in found] == ["\0", URL]


@pytest.mark.parametrize("form", ["txt", "csv", "jsonl"])
def test_cut_gzip_ends_with_a_bad_record_and_the_cut_line_is_not_taken_for_whole(form):
    text = {"txt": "{0}1\n{0}2\n", "csv": "url\n{0}1\n{0}2\n", "jsonl": '{{"url":"{0}1"}}\n{{"url":"{0}2"}}\n'}[form]
    packed = gzip.compress(text.format(URL).encode() + bytes(range(33, 127)) * 9)
    *good, last = read(packed[:-4], form)
    assert [record.text for record in good if record.error is None] == [URL + "1", URL + "2"]
    assert "cut" in last.error


@given(st.sampled_from(FORMATS), st.lists(st.sampled_from(PIECES)) | st.lists(st.binary()), st.data())
def test_any_bytes_give_the_same_records_however_they_are_cut(form, pieces, data):
    """Or are refused: of two reasons for that, the one that came first in the list is named."""
    body = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(body))))
    whole, cut = read(body, form), read(body, form, cuts)
    assert cut == whole or (isinstance(cut, str) and isinstance(whole, str))


@given(st.sampled_from(FORMATS), st.lists(st.sampled_from(PIECES)), st.data())
def test_gzipped_bytes_give_the_same_records_however_they_are_cut(form, pieces, data):
    body = gzip.compress(b"".join(pieces), mtime=0)
    cuts = data.draw(st.lists(st.integers(0, len(body))))
    assert read(body, form, cuts) == read(b"".join(pieces), form)


@pytest.mark.parametrize("form", FORMATS)
def test_memory_does_not_grow_with_the_list(form):
    row = {"jsonl": '{"url": "http://a.example/%d"}\n'}.get(form, "http://a.example/%d\n")
    reader = ListReader("list", form)
    list(reader.feed(b"url\n"))
    tracemalloc.start()
    try:
        count = 0
        for start in range(0, 18_000, 600):
            piece = "".join(row % number for number in range(start, start + 600)).encode()
            count += sum(map(len, reader.feed(piece)))
        count += sum(map(len, reader.finish()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 18_000 <= count <= 18_001
    assert peak < 600_000


def test_a_binary_list_is_refused_also_where_its_header_came_alone():
    body = b"\x01\x01\raaaaa\x00"
    assert "binary" in read(body, "csv")
    assert "has no column" in read(body, "csv", [8])
