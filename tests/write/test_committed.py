"""Rows read back from files: as many bytes as were committed, and values as they were before they were encoded."""

import gzip

import pytest

from scraper.errors import SinkError
from scraper.records import Column
from scraper.write.committed import rows_of
from scraper.write.encode import csv_head, csv_row, jsonl_row

COLUMNS = (Column("url"), Column("n", "int"), Column("tags", many=True), Column("other", "json"))
ROW = {"url": "http://a/", "n": 1, "tags": ["a"]}


def csv_file(*rows):
    names = [column.name for column in COLUMNS]
    return csv_head(names) + b"".join(csv_row(row, names) for row in rows)


@pytest.mark.parametrize("text", ["=1+1", "-5", "@x", "\tx", "'quoted'", 'a "b", c\r\nd', "x\n", "é\u2028"])
def test_text_comes_back_from_csv_as_it_was(tmp_path, text):
    data = csv_file({**ROW, "url": text})
    (tmp_path / "f").write_bytes(data)
    assert list(rows_of([(tmp_path / "f", len(data))], "csv", COLUMNS)) == [{**ROW, "url": text}]


def test_keys_in_other_are_keys_of_the_row_again(tmp_path):
    data = csv_file({**ROW, "more": {"a": [1]}})
    (tmp_path / "f").write_bytes(data)
    assert list(rows_of([(tmp_path / "f", len(data))], "csv", COLUMNS)) == [{**ROW, "more": {"a": [1]}}]


def test_bytes_behind_the_committed_ones_are_not_read(tmp_path):
    line = jsonl_row(ROW)
    member = gzip.compress(line, mtime=0)
    (tmp_path / "plain").write_bytes(line + b'{"half')
    (tmp_path / "packed").write_bytes(member + member[:10])
    assert list(rows_of([(tmp_path / "plain", len(line))], "jsonl", ())) == [ROW]
    assert list(rows_of([(tmp_path / "packed", len(member))], "jsonl.gz", ())) == [ROW]


@pytest.mark.parametrize(
    ("format", "data", "length", "words"),
    [
        ("jsonl", b"{}\n", 99, "has 3 bytes, but 99 were committed"),
        ("jsonl", b"{broken\n", 8, "cannot be read as jsonl"),
        ("jsonl.gz", gzip.compress(b"{}\n", mtime=0)[:-4], 19, "cannot be read as jsonl.gz"),
        ("jsonl.zst", b"nothing of zstd", 15, "cannot be read"),
        ("csv", b"url,n\r\nu,1\r\n", 12, "cannot be read as csv"),
        ("csv", b"url,n,tags,other\r\nu,one,[],\r\n", 29, "cannot be read as csv"),
        ("csv", b"url,n,tags,other\r\n\xff,1,[],\r\n", 27, "cannot be read as csv"),
    ],
)
def test_file_that_was_changed_is_told_by_name(tmp_path, format, data, length, words):
    (tmp_path / "rows").write_bytes(data)
    with pytest.raises(SinkError, match=words) as caught:
        list(rows_of([(tmp_path / "rows", length)], format, COLUMNS))
    assert str(tmp_path / "rows") in str(caught.value)


def test_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(SinkError, match="No such file"):
        list(rows_of([(tmp_path / "rows", 1)], "jsonl", ()))
