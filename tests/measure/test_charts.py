"""Charts: every value at its place, a name and a description for each, and no text that is taken for markup."""

import re
from collections.abc import Callable
from math import log10
from xml.etree import ElementTree

import pytest

from scraper.measure.page import charts
from scraper.measure.page.axes import Axis, marks, round_top
from scraper.measure.page.charts import Bar
from scraper.measure.page.figures import duration, share, size
from scraper.measure.page.html import Html

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "</svg><script>\u202e\0\"'&"
BUCKETS = [(0.001, 3), (0.002, 10), (0.5, 1)]


def parsed(svg: Html) -> ElementTree.Element:
    """Every chart is well-formed XML too, so that it can be cut out and kept as a file."""
    return ElementTree.fromstring(svg)


def texts(svg: Html) -> list[str]:
    return [str(node.text) for node in parsed(svg).iter(f"{SVG}text")]


def marked(svg: Html, tag: str, name: str) -> list[dict[str, str]]:
    return [node.attrib for node in parsed(svg).iter(SVG + tag) if name in node.get("class", "").split()]


CHARTS: dict[str, Callable[[str], Html]] = {
    "lines": lambda name: charts.lines(name, name, [0.0, 1.0], {name: [1, 2], "other": [2, None]}, unit=name),
    "bars": lambda name: charts.bars(name, name, [Bar(name, 1.0, 0.5, 2.0, name), Bar("b", 3.0)]),
    "histogram": lambda name: charts.histogram(name, name, BUCKETS, marks={name: 0.002}, unit=name),
    "spans": lambda name: charts.spans(name, name, {name: [(0.0, 1.0)]}, 2.0),
    "empty lines": lambda name: charts.lines(name, name, [], {name: []}),
    "one point": lambda name: charts.lines(name, name, [3.0], {name: [5]}),
    "nothing measured": lambda name: charts.lines(name, name, [0.0, 1.0], {name: [None, None]}),
    "all zero": lambda name: charts.lines(name, name, [0.0, 1.0], {name: [0, 0]}),
    "no bars": lambda name: charts.bars(name, name, []),
    "zero bars": lambda name: charts.bars(name, name, [Bar(name, 0.0)]),
    "empty histogram": lambda name: charts.histogram(name, name, []),
    "one bucket": lambda name: charts.histogram(name, name, [(0.004, 1)], marks={name: 0.0039}),
    "no spans": lambda name: charts.spans(name, name, {}, 0.0),
}


@pytest.mark.parametrize("name", CHARTS)
def test_chart_has_a_name_and_a_description_and_stays_within_its_box(name: str) -> None:
    root = parsed(CHARTS[name]("Some title"))
    ids = {node.get("id"): node.text for node in root if node.get("id")}
    assert root.get("role") == "img"
    assert ids[root.get("aria-labelledby")] == ids[root.get("aria-describedby")] == "Some title"
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for node in root.iter():
        for key, most in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height), ("y2", height)):
            assert 0 <= float(node.get(key, 0)) <= most + 0.1


@pytest.mark.parametrize("name", CHARTS)
def test_words_of_others_are_never_markup(name: str) -> None:
    root = parsed(CHARTS[name](NASTY))
    assert not list(root.iter(f"{SVG}script"))
    assert "\u202e" not in "".join(root.itertext())


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_line_goes_through_its_values() -> None:
    svg = charts.lines("t", "d", [0.0, 5.0, 10.0], {"rate": [0, 50, 100]}, top=100.0)
    ((left, bottom), (middle, half), (right, above)) = points(marked(svg, "path", "line")[0]["d"])
    assert middle == pytest.approx((left + right) / 2)
    assert half == pytest.approx((above + bottom) / 2)
    assert bottom - above == charts.PLOT


def test_line_is_broken_where_nothing_was_measured() -> None:
    svg = charts.lines("t", "d", [0.0, 1.0, 2.0, 3.0], {"rate": [1, None, 2, 3]})
    assert re.sub(r"[\d. ]", "", marked(svg, "path", "line")[0]["d"]) == "MML"


def test_stepped_line_holds_each_value_over_its_interval() -> None:
    svg = charts.lines("t", "d", [1.0, 2.0, 4.0, 5.0], {"rate": [4, None, 2, 0]}, top=4.0, start=0.0, stepped=True)
    x, y = Axis(0, 5, charts.LEFT, charts.WIDTH - charts.RIGHT), Axis(0, 4, charts.PLOT + 8, 8)
    spans = re.findall(r"([ML])([\d.]+) ([\d.]+)H([\d.]+)", marked(svg, "path", "line")[0]["d"])
    expected = [("M", 0, 4, 1), ("M", 2, 2, 4), ("L", 4, 0, 5)]
    for found, (pen, begin, value, end) in zip(spans, expected, strict=True):
        assert found[0] == pen
        assert [float(it) for it in found[1:]] == pytest.approx([x.at(begin), y.at(value), x.at(end)], abs=0.1)


def test_lines_differ_by_pattern_and_are_named_beside_a_piece_of_it() -> None:
    svg = charts.lines("t", "d", [0.0, 1.0], {"done": [1, 2], "failed": [0, 1]})
    kinds = [line["class"] for line in marked(svg, "path", "line")]
    assert sorted(kinds) == ["line l1", "line l1", "line l2", "line l2"]
    assert {"done", "failed"} <= set(texts(svg))


def test_single_line_needs_no_key() -> None:
    svg = charts.lines("t", "d", [0.0, 1.0], {"done": [1, 2]})
    assert "done" not in texts(svg)


def test_pointer_finds_the_figures_of_a_moment() -> None:
    svg = charts.lines("t", "d", [1.0, 2.0], {"done": [1, 2], "failed": [None, 1]}, start=0.0)
    assert re.findall(r"<title>([^<]*)</title>", svg) == ["1 s: done 1", "2 s: done 2, failed 1"]


def test_series_of_another_length_than_the_times_is_refused() -> None:
    with pytest.raises(ValueError, match="a value for each time"):
        charts.lines("t", "d", [0.0, 1.0], {"rate": [1]})


def test_bars_are_as_long_as_their_values_and_tell_them() -> None:
    svg = charts.bars("t", "d", [Bar("a", 100.0), Bar("b", 50.0, words="fifty")])
    long, short = (float(bar["width"]) for bar in marked(svg, "rect", "bar"))
    assert long == pytest.approx(2 * short, abs=0.2)
    assert {"a", "b", "100", "fifty"} <= set(texts(svg))


def test_spread_of_a_bar_reaches_from_the_least_to_the_greatest() -> None:
    svg = charts.bars("t", "d", [Bar("a", 100.0, 80.0, 120.0), Bar("b", 120.0)])
    ends = re.match(r"M([\d.]+) [\d.]+H([\d.]+)", marked(svg, "path", "spread")[0]["d"])
    assert ends
    bar = marked(svg, "rect", "bar")[0]
    end = float(bar["x"]) + float(bar["width"])
    assert float(ends[1]) < end < float(ends[2])


def test_histogram_has_a_column_for_each_bucket_and_marks_its_quantiles() -> None:
    svg = charts.histogram("t", "d", BUCKETS, marks={"p50": 0.0019, "p99": 0.48})
    columns = marked(svg, "rect", "bar")
    assert len(columns) == len(BUCKETS)
    assert max(columns, key=lambda column: float(column["height"])) == columns[1]
    assert {"p50 1.9 ms", "p99 480 ms"} <= set(texts(svg))
    lefts = [float(column["x"]) for column in columns]
    assert (lefts[1] - lefts[0]) / (lefts[2] - lefts[0]) == pytest.approx(log10(2) / log10(500), abs=0.01)


def test_column_of_a_rare_duration_can_still_be_seen() -> None:
    svg = charts.histogram("t", "d", [(0.001, 1_000_000), (0.1, 1)])
    assert float(marked(svg, "rect", "bar")[1]["height"]) == 1


def test_spans_have_a_row_for_each_name() -> None:
    svg = charts.spans("t", "d", {"parse": [(0.0, 5.0), (8.0, 10.0)], "disk": [(5.0, 8.0)]}, 10.0)
    first, second, third = marked(svg, "rect", "f1") + marked(svg, "rect", "f2")
    assert first["y"] == second["y"] != third["y"]
    assert float(first["width"]) == pytest.approx(2.5 * float(second["width"]), abs=0.2)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 100, 5, [0, 25, 50, 75, 100]),
        (0, 7, 5, [0, 2, 4, 6]),
        (0, 0.003, 4, [0, 0.001, 0.002, 0.003]),
        (12, 13, 5, [12, 12.25, 12.5, 12.75, 13]),
        (0, 1e9, 3, [0, 5e8, 1e9]),
        (5, 5, 5, [5]),
    ],
)
def test_marks_are_round_and_within(low: float, high: float, most: int, expected: list[float]) -> None:
    assert marks(low, high, most) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, ["0 s", "500 ms", "1 s", "1.5 s", "2 s"]),
        (50, ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s"]),
        (200, ["0 s", "60 s", "120 s", "180 s"]),
        (1_700, ["0 s", "10 min", "20 min"]),
        (7_300, ["0 s", "30 min", "1 h", "1 h 30 min", "2 h"]),
        (100_000, ["0 s", "6 h", "12 h", "18 h", "24 h"]),
        (800_000, ["0 s", "48 h", "96 h", "144 h", "192 h"]),
    ],
)
def test_marks_of_time_are_round_minutes_and_hours(seconds: float, words: list[str]) -> None:
    assert [duration(mark) for mark in marks(0, seconds, 6, is_time=True)] == words


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.001, 0.1, [0.001, 0.003, 0.01, 0.03, 0.1]),
        (0.001, 0.004, [0.001, 0.002]),
        (0.02, 0.3, [0.02, 0.05, 0.1, 0.2]),
        (1e-6, 1e3, [1e-6, 1e-4, 1e-2, 1, 100]),
    ],
)
def test_logarithmic_marks_are_round_too(low: float, high: float, expected: list[float]) -> None:
    assert Axis(low, high, 0, 100, is_log=True).marks(5) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "top"), [(97, 100), (100, 100), (101, 150), (0.83, 1), (0, 1), (float("nan"), 1)])
def test_axis_ends_at_a_round_value_above(value: float, top: float) -> None:
    assert round_top(value) == top


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (duration(0.9996), "1 s"),
        (duration(59.94), "59.9 s"),
        (duration(599.9), "600 s"),
        (duration(3600), "1 h"),
        (duration(0.00000012), "0.12 µs"),
        (size(1_500), "1.5 kB"),
        (size(999_600), "1 MB"),
        (share(0.5), "50 %"),
    ],
)
def test_figures_in_words(words: str, expected: str) -> None:
    assert words == expected
