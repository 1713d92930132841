"""What the contenders wrote, compared: same pages, same titles. Pure but for reading the files."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

Titles = dict[str, str]
"""URL -> title, white space collapsed, "" where there is none."""


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with path.open("rb") as lines:
        return [decode(line) for line in lines]


def titles_of(rows: Iterable[Mapping[str, Any]]) -> Titles:
    """The titles by URL.

    >>> titles_of([{"url": "u", "title": " A\\n b "}, {"url": "v", "title": None}])
    {'u': 'A b', 'v': ''}
    """
    return {row["url"]: " ".join((row.get("title") or "").split()) for row in rows}


def differences(urls: Sequence[str], expected: Titles, found: Titles) -> list[str]:
    """What is wrong with the titles of one contender, a line each: missing, not asked for, or another title."""
    asked = set(urls)
    return [
        *(f"{url}: no row" for url in urls if url not in found),
        *(f"{url}: a row that nobody asked for" for url in found if url not in asked),
        *(
            f"{url}: {found[url]!r} instead of {expected[url]!r}"
            for url in urls
            if url in found and found[url] != expected.get(url, found[url])
        ),
    ]


def missing_rows(urls: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the number of rows, a line each: every URL must have exactly one."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["url"]] = seen.get(row["url"], 0) + 1
    return [f"{url}: {seen.get(url, 0)} rows instead of 1" for url in urls if seen.get(url) != 1]


def rows_per_s(moments: Sequence[float], at_once: int) -> float:
    """Pages a second while a run is under way, from the second when each was fetched and how many were in flight.

    The first `at_once` pages come together, one latency after the start; what comes after them is counted. 0 where
    nothing does.

    >>> rows_per_s([0.0, 0.0, 1.0, 1.0], 2)
    2.0
    """
    if len(moments) <= at_once:
        return 0.0
    return (len(moments) - at_once) / (max(moments) - min(moments))
