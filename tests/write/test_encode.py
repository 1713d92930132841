"""Rows as bytes: what a reader of the file gets back."""

import csv
import datetime
import io
import json
from decimal import Decimal

import pytest

from scraper.records import Column, Failure
from scraper.write.encode import OTHER_COLUMNS, csv_cell, csv_head, csv_row, failure_line, jsonl_row
from scraper.write.encoders import row_encoder

ROW = {
    "url": "http://a/",
    "n": 3,
    "price": Decimal("1299.90"),
    "on": datetime.date(2026, 1, 2),
    "tags": ["a", 'b"'],
    "none": None,
}


def test_json_line_keeps_types_and_ends_with_one_line_feed():
    line = jsonl_row(ROW)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line, parse_float=Decimal) == {**ROW, "on": "2026-01-02"}


@pytest.mark.parametrize("text", ["a\nb", "a\u2028b\u2029c", "\x85", "\x00", "🦊", "\u2027\u202a"])
def test_no_text_breaks_a_json_line(text):
    line = jsonl_row({"t": text})
    assert len(line.decode().splitlines()) == 1 or text == "\x85"
    assert json.loads(line) == {"t": text}


def test_csv_row_reads_back_with_the_standard_reader():
    columns = ("url", "n", "price", "on", "tags", "none", "missing")
    text = (csv_head(columns) + csv_row(ROW, columns)).decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row == {
        "url": "http://a/",
        "n": "3",
        "price": "1299.90",
        "on": "2026-01-02",
        "tags": '["a","b\\""]',
        "none": "",
        "missing": "",
    }


def test_keys_without_a_column_go_to_the_other_column():
    line = csv_row({"url": "u", "x": 1, "y": "z"}, ("url", OTHER_COLUMNS))
    (row,) = csv.reader(io.StringIO(line.decode(), newline=""))
    assert row == ["u", '{"x":1,"y":"z"}']
    assert csv_row({"url": "u"}, ("url", OTHER_COLUMNS)) == b"u,\r\n"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"]
)
def test_text_that_a_spreadsheet_would_run_is_defused(text):
    assert csv_cell(text) == "'" + text


def test_plain_values_are_left_alone():
    assert [csv_cell(value) for value in (-1, -1.5, True, None, "a=b", Decimal("-3.10"))] == [
        "-1", "-1.5", "true", "", "a=b", "-3.10",
    ]  # fmt: skip


def test_encoder_is_chosen_by_format():
    assert row_encoder("csv", [Column("n")])(ROW) == b"3\r\n"
    assert row_encoder("jsonl", ())({"n": 3}) == b'{"n":3}\n'


def test_failure_has_the_documented_keys_in_order():
    line = failure_line(Failure("http://a/", "dns", "no such host", None, 3, "2026-01-01T00:00:00.000Z", 7))
    assert list(json.loads(line)) == ["url", "error", "message", "status", "attempts", "at", "line"]
