from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.urls.lines import LineSplitter


def split(data: bytes, cuts=(), max_line=20, damage=None):
    """Give (number, text, fault) of each line."""
    splitter = LineSplitter(max_line)
    edges = [0, *sorted(cuts), len(data)]
    blocks = [splitter.feed(data[a:b]) for a, b in pairwise(edges)]
    blocks.append(splitter.finish(damage))
    return [
        (number, line, block.faults.get(number))
        for block in blocks
        for number, line in enumerate(block.lines, block.first)
    ]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"\n\na\n", ["", "", "a"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\r", ["a", "b"]),
        (b"a\n\rb", ["a", "", "b"]),
        (b"\xef\xbb\xbfa\nb", ["a", "b"]),
        (b"a\n\xef\xbb\xbfb", ["a", "b"]),
        (b"\xef\xbb\xbf", [""]),
        ("a\u2028b\x0bc\x85d\n".encode(), ["a\u2028b\x0bc\x85d"]),
    ],
)
def test_lines_end_at_lf_crlf_and_cr_only(data, lines):
    assert split(data) == [(number, line, None) for number, line in enumerate(lines, 1)]


def test_line_that_is_not_utf_8_is_a_fault_and_the_others_are_not():
    found = split(b"a\nb\xfcc\n\xc3\xbc\n")
    assert found == [
        (1, "a", None),
        (2, "b\ufffdc", "not UTF-8: byte 0xfc at position 2 of the line"),
        (3, "\xfc", None),
    ]


@pytest.mark.parametrize("cuts", [(), range(70)])
def test_overlong_line_is_a_fault_and_reading_goes_on_behind_it(cuts):
    found = split(b"a\n" + b"x" * 21 + b"\nb\n" + b"y" * 20 + b"\n" + b"z" * 21, [cut for cut in cuts if cut < 67])
    assert [(number, bool(fault)) for number, _, fault in found] == [(1, 0), (2, 1), (3, 0), (4, 0), (5, 1)]
    assert "longer than" in found[1][2]


def test_overlong_line_is_not_kept():
    splitter = LineSplitter()
    shown = [line for _ in range(100) for line in splitter.feed(b"x" * 65_536).lines]
    assert shown == ["x" * 1000]
    assert splitter.feed(b"\nb\n").lines == ["b"]


@pytest.mark.parametrize("data", [b"", b"a\n", b"a\nhttp://a.exa"])
def test_damage_makes_a_fault_of_the_last_line_even_where_it_is_empty(data):
    number, _, fault = split(data, damage="cut")[-1]
    assert (number, fault) == (data.count(b"\n") + 1, "cut")


@given(st.data())
def test_same_lines_however_the_bytes_are_cut(data):
    text = data.draw(st.lists(st.sampled_from([b"\n", b"\r", b"\xef\xbb\xbf", b"a", b"\xff", b"\xc3\xbc", b"x" * 12])))
    body = b"".join(text)
    cuts = data.draw(st.lists(st.integers(0, len(body))))
    assert split(body, cuts) == split(body)
