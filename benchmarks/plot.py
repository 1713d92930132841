"""The plot of the main scenario as SVG, written by hand: pages a second and CPU a page, a bar for each system. Pure."""

from collections.abc import Callable, Sequence
from html import escape

from benchmarks.results import Case, middle
from benchmarks.table import LABELS

WIDTH = 860
LABEL_WIDTH = 330
BAR = 18
STEP = 28
TOP = 46
NUMBER_WIDTH = 70
SMALLEST_BAR = 1.0
OURS, OTHERS = "#1f6f8b", "#b8c4ca"
SHOWN = ("ours", "floor", "go", "aiohttp", "httpx", "scrapy", "requests")

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{title}">'
)


def draw(cases: Sequence[Case]) -> str:
    """Two groups of bars, for the cases worth comparing; "" where there is none of them."""
    shown = [case for name in SHOWN for case in cases if case.name == name]
    if not shown:
        return ""
    height = 2 * (TOP + STEP * len(shown)) + 10
    parts = [
        _HEAD.format(width=WIDTH, height=height, title="Pages a second and CPU a page, by system"),
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_group(0, "pages a second, more is better", shown, lambda case: middle(case.pages_per_s), "{:,.0f}"),
        *_group(
            TOP + STEP * len(shown),
            "CPU a page in ms, less is better",
            shown,
            lambda case: middle(case.cpu_ms),
            "{:,.2f}",
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _group(top: int, title: str, cases: Sequence[Case], value: Callable[[Case], float], form: str) -> list[str]:
    longest = max(map(value, cases)) or 1.0
    room = WIDTH - LABEL_WIDTH - NUMBER_WIDTH
    head = f'<text x="{LABEL_WIDTH}" y="{top + 28}" font-weight="600" fill="#222">{escape(title)}</text>'
    bars = [
        _bar(top + TOP + STEP * number, case, max(SMALLEST_BAR, value(case) / longest * room), form.format(value(case)))
        for number, case in enumerate(cases)
    ]
    return [head, *bars]


def _bar(y: int, case: Case, length: float, number: str) -> str:
    middle_y = y + BAR - 5
    label = escape(LABELS.get(case.name, case.name))
    return (
        f'<text x="{LABEL_WIDTH - 8}" y="{middle_y}" text-anchor="end" fill="#222">{label}</text>'
        f'<rect x="{LABEL_WIDTH}" y="{y}" width="{length:.1f}" height="{BAR}" '
        f'fill="{OURS if case.name == "ours" else OTHERS}"/>'
        f'<text x="{LABEL_WIDTH + length + 6:.1f}" y="{middle_y}" fill="#222">{number}</text>'
    )
