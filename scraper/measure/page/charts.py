"""Charts as SVG text: lines over time, bars, histograms, spans. Pure.

Nothing is told by colour alone: lines have patterns, bars their figure beside them. Colours and type are the page's
(style.py), so that a chart follows it into the dark and onto paper. Each has a title and a description for those who
do not see it; its figures belong in a table beside it (html.figure).

480 units wide, with type of 13: beside each other on a screen, alone on a phone, a chart is shown at about that size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from scraper.histogram import PER_OCTAVE
from scraper.measure.page.axes import Axis, Words, farthest, round_top
from scraper.measure.page.figures import duration, short
from scraper.measure.page.html import Html, el, joined, shown

WIDTH = 480
PLOT = 168
"""The height of what lies between the axes."""
LEFT, RIGHT = 56, 16
ROW = 20
"""The height of a line of words, and 26 that of a bar with its own."""
BAR_ROW = 26
LETTER = 7.2
"""The width of a letter, on average and at most 15 units high."""
COLOURS = 6
HOVERS = 60
"""Strips of a line chart that show their figures under the pointer, at most."""
BUCKET_RATIO = 2 ** (1 / PER_OCTAVE)
"""Upper to lower bound of a histogram's bucket."""

Values = Sequence[float | None]
"""None: nothing was measured; the line has a gap there."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, and where several measurements lie behind it, the least and the greatest."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    words: str = ""
    """The figure beside the bar; "" = the value."""


def lines(
    title: str,
    description: str,
    at: Sequence[float],
    series: Mapping[str, Values],
    *,
    unit: str = "",
    top: float | None = None,
    words: Words = short,
    x_words: Words = duration,
    start: float | None = None,
    stepped: bool = False,
) -> Html:
    """Values over `at` (rising; seconds, unless x_words says otherwise), one line for each of the series.

    `unit`: what stands above the values. `top`: where their axis ends, None = a round value above the highest.
    `start`: where the other axis begins, None = with the first of `at`. `stepped`: each value is that of the interval
    which ends at its time, not that of a moment.
    ValueError where a series is not as long as `at`.
    """
    if any(len(values) != len(at) for values in series.values()):
        raise ValueError("a series needs a value for each time")
    keys, keys_height = _keys(list(series), ROW if unit else 0)
    above = 8 + keys_height + (ROW if unit else 0)
    high = top or round_top(max((farthest(list(values)) for values in series.values()), default=0.0))
    first = min(at, default=0.0) if start is None else start
    x = Axis(first, max(at, default=1.0), LEFT, WIDTH - RIGHT, is_time=x_words is duration)
    y = Axis(0.0, high, above + PLOT, above)
    drawn = [
        el("path", d=(_steps if stepped else _path)(at, values, x, y), class_=f"line l{number % COLOURS + 1}")
        for number, values in enumerate(series.values())
    ]
    return _svg(
        title,
        description,
        above + PLOT + 30,
        el("text", unit, x=0, y=14, class_="soft") if unit else None,
        keys,
        *_y_axis(y, words),
        *_x_axis(x, above + PLOT, x_words),
        *drawn,
        *_hovers(at, series, x, y, words, x_words),
    )


def bars(title: str, description: str, bars: Sequence[Bar], *, words: Words = short, top: float | None = None) -> Html:
    """Bars from left to right, one below the other, with the figure beside each.

    A bar with `low` and `high` shows them as a thin line across its end.
    """
    label_width = min(max((len(bar.label) for bar in bars), default=0) * LETTER, WIDTH * 0.42)
    figures = [bar.words or words(bar.value) for bar in bars]
    room = max((len(figure) for figure in figures), default=0) * LETTER + 12
    high = top or max((bar.high or bar.value for bar in bars), default=0.0) or 1.0
    x = Axis(0.0, high, label_width + 10, WIDTH - room)
    rows = (_bar(bar, figure, x, at * BAR_ROW) for at, (bar, figure) in enumerate(zip(bars, figures, strict=True)))
    return _svg(title, description, len(bars) * BAR_ROW + 4, *rows)


def histogram(
    title: str,
    description: str,
    buckets: Sequence[tuple[float, int]],
    *,
    marks: Mapping[str, float] | None = None,
    unit: str = "",
    words: Words = duration,
) -> Html:
    """How often each duration came: buckets of (upper bound, count), rising, as scraper/histogram.py makes them.

    `marks`: name -> value, each a line through the plot, named above it. The axis is logarithmic.
    """
    named = sorted((marks or {}).items(), key=lambda item: -item[1])
    rows = [ROW * (at + bool(unit)) for at in range(len(named))]
    above = 8 + ROW * (len(named) + bool(unit))
    low, high = _bounds(buckets)
    x = Axis(low, high, LEFT, WIDTH - RIGHT, is_log=True)
    y = Axis(0.0, round_top(max((count for _, count in buckets), default=0)), above + PLOT, above)
    return _svg(
        title,
        description,
        above + PLOT + 30,
        el("text", unit, x=0, y=14, class_="soft") if unit else None,
        *_y_axis(y, short),
        *(_column(bound, count, x, y, words) for bound, count in buckets),
        *_x_axis(x, above + PLOT, words),
        *(_mark_line(value, x, above + PLOT, row) for row, (_, value) in zip(rows, named, strict=True)),
        *(_mark_words(f"{name} {words(value)}", value, x, row) for row, (name, value) in zip(rows, named, strict=True)),
    )


def spans(
    title: str,
    description: str,
    rows: Mapping[str, Sequence[tuple[float, float]]],
    end: float,
    *,
    x_words: Words = duration,
) -> Html:
    """When each of several things was so: a row for each, with a block from start to end of each time it was."""
    label_width = min(max((len(name) for name in rows), default=0) * LETTER, WIDTH * 0.42)
    x = Axis(0.0, end or 1.0, label_width + 10, WIDTH - RIGHT, is_time=x_words is duration)
    height = len(rows) * BAR_ROW
    drawn = (_span_row(name, times, x, at) for at, (name, times) in enumerate(rows.items()))
    return _svg(title, description, height + 30, *_x_axis(x, height, x_words), *drawn)


# -- the parts of a chart ---------------------------------------------------------------------------------------------


def _svg(title: str, description: str, height: float, *parts: Html | None) -> Html:
    name = f"c{crc32((title + description).encode(errors='replace')):08x}"
    return el(
        "svg",
        el("title", title, id=f"{name}-t"),
        el("desc", description, id=f"{name}-d"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {_n(height)}",
        role="img",
        aria_labelledby=f"{name}-t",
        aria_describedby=f"{name}-d",
    )


def _y_axis(y: Axis, words: Words) -> Iterator[Html]:
    for value in y.marks(5):
        at = _n(y.at(value))
        yield el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="rule" if value else "axis")
        yield el("text", words(value), x=LEFT - 6, y=_n(y.at(value) + 4.5), class_="soft end")


def _x_axis(x: Axis, at: float, words: Words) -> Iterator[Html]:
    yield el("line", x1=_n(x.start), x2=_n(x.end), y1=_n(at), y2=_n(at), class_="axis")
    for value in x.marks(5 if x.is_log else 6):
        place = x.at(value)
        yield el("line", x1=_n(place), x2=_n(place), y1=_n(at), y2=_n(at + 5), class_="axis")
        yield el("text", words(value), x=_n(place), y=_n(at + 21), class_="soft mid")


def _keys(names: Sequence[str], above: float) -> tuple[Html | None, float]:
    """What each line means, and the height that takes; nothing for a single one."""
    if len(names) < 2:
        return None, 0.0
    width = max(len(name) for name in names) * LETTER + 48
    columns = max(1, int(WIDTH / width))
    rows = -(-len(names) // columns)
    return joined(
        *(_key(name, at, at % columns * width, above + at // columns * ROW) for at, name in enumerate(names))
    ), rows * ROW


def _key(name: str, number: int, x: float, y: float) -> Html:
    line = el("path", d=f"M{_n(x)} {_n(y + 10)}h30", class_=f"line l{number % COLOURS + 1}")
    return joined(line, el("text", name, x=_n(x + 36), y=_n(y + 14.5)))


def _path(at: Sequence[float], values: Values, x: Axis, y: Axis) -> str:
    """The way of the pen from value to value, up at every gap."""
    pieces: list[str] = []
    pen = "M"
    for time, value in zip(at, values, strict=True):
        if value is None:
            pen = "M"
            continue
        pieces.append(f"{pen}{_n(x.at(time))} {_n(y.at(value))}")
        pen = "L"
    return "".join(pieces)


def _steps(at: Sequence[float], values: Values, x: Axis, y: Axis) -> str:
    """The same with each value held over its interval."""
    pieces: list[str] = []
    begun, pen = x.start, "M"
    for time, value in zip(at, values, strict=True):
        end = x.at(time)
        if value is not None:
            pieces.append(f"{pen}{_n(begun)} {_n(y.at(value))}H{_n(end)}")
        begun, pen = end, "M" if value is None else "L"
    return "".join(pieces)


def _hovers(
    at: Sequence[float], series: Mapping[str, Values], x: Axis, y: Axis, words: Words, x_words: Words
) -> Iterator[Html]:
    """Strips that show their figures under the pointer; a browser does that with a title, without a script."""
    every = max(1, -(-len(at) // HOVERS))
    for start in range(0, len(at), every):
        left = x.at(at[start - 1] if start else x.low)
        right = x.at(at[min(start + every, len(at)) - 1])
        last = min(start + every, len(at)) - 1
        told = [f"{name} {words(value)}" for name, values in series.items() if (value := values[last]) is not None]
        title = el("title", f"{x_words(at[last])}: {', '.join(told)}")
        yield _rect(left, y.end, right - left, y.start - y.end, "hover", title)


def _bar(bar: Bar, figure: str, x: Axis, above: float) -> Html:
    end = x.at(bar.value)
    spread = bar.low is not None and bar.high is not None and bar.high > bar.low
    figure_at = x.at(bar.high) if spread and bar.high is not None else end
    return joined(
        el("text", _cut(bar.label, x.start - 10), x=_n(x.start - 8), y=_n(above + 17.5), class_="end"),
        _rect(x.start, above + 4, max(end - x.start, 1), BAR_ROW - 8, "bar f1", el("title", f"{bar.label}: {figure}")),
        _spread(x.at(bar.low or 0.0), x.at(bar.high or 0.0), above + BAR_ROW / 2) if spread else None,
        el("text", figure, x=_n(max(figure_at, end) + 6), y=_n(above + 17.5)),
    )


def _spread(low: float, high: float, y: float) -> Html:
    ends = "".join(f"M{_n(at)} {_n(y - 5)}v10" for at in (low, high))
    return el("path", d=f"M{_n(low)} {_n(y)}H{_n(high)}{ends}", class_="spread")


def _column(bound: float, count: int, x: Axis, y: Axis, words: Words) -> Html:
    left, right, top = x.at(bound / BUCKET_RATIO), x.at(bound), y.at(count)
    title = el("title", f"up to {words(bound)}: {count:,}")
    return _rect(left, min(top, y.start - 1), right - left, max(y.start - top, 1), "bar f1", title)


def _mark_line(value: float, x: Axis, bottom: float, above: float) -> Html:
    at = _n(x.at(value))
    return el("line", x1=at, x2=at, y1=_n(above + 4), y2=_n(bottom), class_="mark")


def _mark_words(words: str, value: float, x: Axis, above: float) -> Html:
    """On the side of the line that has more room."""
    at = x.at(value)
    is_left = at > WIDTH / 2
    place = _n(at - 5 if is_left else at + 5)
    return el("text", words, x=place, y=_n(above + 14.5), class_="over end" if is_left else "over")


def _span_row(name: str, times: Sequence[tuple[float, float]], x: Axis, number: int) -> Html:
    above = number * BAR_ROW
    return joined(
        el("text", _cut(name, x.start - 10), x=_n(x.start - 8), y=_n(above + 17.5), class_="end"),
        *(
            _rect(x.at(start), above + 4, max(x.at(end) - x.at(start), 1), BAR_ROW - 8, f"f{number % COLOURS + 1}")
            for start, end in times
        ),
    )


def _rect(x: float, y: float, width: float, height: float, mark: str, *children: Html) -> Html:
    return el("rect", *children, x=_n(x), y=_n(y), width=_n(width), height=_n(height), class_=mark)


def _bounds(buckets: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """Where the axis begins and ends: around what there is, and never narrower than some buckets."""
    if not buckets:
        return 0.001, 1.0
    low, high = buckets[0][0] / BUCKET_RATIO, buckets[-1][0]
    return (low, high) if high > 4 * low else (low / 2, high * 2)


def _cut(text: str, width: float) -> str:
    """A text as far as there is room, by the width of its letters on average."""
    text, room = shown(text), max(int(width / LETTER), 4)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _n(value: float) -> str:
    """A place to a tenth of a unit: what is finer is not seen, and every digit stands there a thousand times."""
    return f"{value:.1f}".removesuffix(".0")
