import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.urls.lines import LineSplitter
from scraper.urls.rows import Row, RowReader


def read(data: bytes, cuts=(), delimiter=None) -> list[Row]:
    splitter, reader = LineSplitter(), RowReader(delimiter)
    edges = [0, *sorted(cuts), len(data)]
    rows = [row for a, b in pairwise(edges) for row in reader.feed(splitter.feed(data[a:b]))]
    return rows + reader.feed(splitter.finish()) + reader.finish()


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"", []),
        (b"a,b", [(1, ["a", "b"])]),
        (b"a,b\n\n1,2\n", [(1, ["a", "b"]), (2, []), (3, ["1", "2"])]),
        (b'a,b\n"x\r\ny",2\n3,4\n', [(1, ["a", "b"]), (2, ["x\ny", "2"]), (4, ["3", "4"])]),
        (b'a,b\n"say ""hi""",2\n', [(1, ["a", "b"]), (2, ['say "hi"', "2"])]),
        (b"a;b\n1,5;2\n", [(1, ["a", "b"]), (2, ["1,5", "2"])]),
        (b"a\tb\n1,5\t2\n", [(1, ["a", "b"]), (2, ["1,5", "2"])]),
        (b"a|b\n1|2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b'a,b\n5" disk,2\n', [(1, ["a", "b"]), (2, ['5" disk', "2"])]),
        (b"url\nhttp://a.example/?a;b\n", [(1, ["url"]), (2, ["http://a.example/?a;b"])]),
    ],
)
def test_rows_have_cells_and_the_number_of_their_first_line(data, rows):
    assert read(data) == [(line, cells, None) for line, cells in rows]


def test_quote_that_is_never_closed_spoils_only_its_line():
    found = read(b'a,b\n"x,1\ny,2\nz,3\n')
    assert [(row.line, row.cells, bool(row.fault)) for row in found] == [
        (1, ["a", "b"], False),
        (2, ['"x,1'], True),
        (3, ["y", "2"], False),
        (4, ["z", "3"], False),
    ]
    assert "quote" in found[1].fault


def test_quote_not_closed_within_a_mebibyte_spoils_only_its_line():
    line = b"http://a.example/" + b"x" * 1000 + b"\n"
    found = read(b'url\n"x\n' + line * 1200 + b'y"\n', range(0, 1_200_000, 32_768))
    assert [row.line for row in found if row.fault] == [2]
    assert len(found) == 1203
    assert found[2].line == 3


def test_overlong_line_inside_quotes_hides_no_other_row():
    found = read(b'a,b\n"x\n' + b"y" * 1_100_000 + b'",2\n"z",3\n')
    assert [(row.line, bool(row.fault)) for row in found] == [(1, False), (2, True), (3, True), (4, False)]
    assert found[-1].cells == ["z", "3"]


def test_line_that_is_not_utf_8_spoils_its_whole_row_only():
    found = read(b'a,b\n"x\n\xff",2\n3,4\n')
    assert [(row.line, bool(row.fault)) for row in found] == [(1, False), (2, True), (4, False)]


def test_cell_above_the_csv_modules_own_limit_is_read():
    cell = "x" * 500_000
    assert read(f'a,b\n"{cell}",2\n'.encode())[1] == Row(2, [cell, "2"], None)


@given(st.lists(st.lists(st.text(alphabet='ab,;"\n \u00fc'), min_size=2, max_size=2)), st.data())
def test_what_csv_writes_is_read_back_however_it_is_cut(table, data):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["a", "b"], *table])
    body = text.getvalue().encode()
    cuts = data.draw(st.lists(st.integers(0, len(body))))
    assert [row.cells for row in read(body, cuts, ",")] == [["a", "b"], *table]


@given(st.data())
def test_same_rows_however_the_bytes_are_cut(data):
    parts = data.draw(st.lists(st.sampled_from([b"\n", b"\r\n", b",", b'"', b'""', b"a", b"\xff", b",\n", b'"\n'])))
    body = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(body))))
    assert read(body, cuts, ",") == read(body, (), ",")
