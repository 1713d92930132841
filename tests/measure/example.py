"""A telemetry.json as a session of two minutes might leave it, with parts to be changed."""

import json
from math import exp, sin
from pathlib import Path
from typing import Any

from scraper.histogram import Histogram


def histogram(middle_s: float, count: int) -> list[tuple[float, int]]:
    """Durations spread around a middle, with a few long ones."""
    durations = Histogram()
    durations.add(middle_s * exp(0.5 * sin(number * 12.9898) * (1 + number % 97 / 48)) for number in range(count))
    return durations.buckets()


def series(points: int = 120) -> dict[str, list[Any]]:
    """A list read to its end: a start, a long stretch, the last URLs."""
    at = [float(number + 1) for number in range(points)]
    done = [int(40 * time + 60 * sin(time / 7)) for time in at]
    wave = [0.5 + 0.4 * sin(time / 9) for time in at]
    last = max(points // 10, 1)
    return {
        "at": at,
        "done": done,
        "failed": [count // 25 for count in done],
        "bytes": [count * 26_000 for count in done],
        "in_flight": [60 + 4 * sin(time) for time in at],
        "queued": [max(0.0, 4_000 - 38 * time) for time in at],
        "parsing": [6 + 5 * sin(time / 3) for time in at],
        "loop": [0.4 + share / 5 for share in wave],
        "parse": [0.95 if share > 0.4 else 0.6 for share in wave],
        "write": [0.1] * points,
        "disk": [0.05] * points,
        "slots": wave,
        "limit": [
            None if number < 2 else "ending" if number >= points - last else "parse" if share > 0.4 else "latency"
            for number, share in enumerate(wave)
        ],
    }


def session(**changed: Any) -> dict[str, Any]:
    """One session; `changed`: parts in place of its own."""
    return {
        "started": "2026-11-22T23:05:23Z",
        "seconds": 120.4,
        "model": "hybrid",
        "concurrency": 64,
        "processes": 2,
        "python": "3.11.7",
        "gil": True,
        "cores": 2,
        "first_row_s": 0.41,
        "cpu_s": 201.5,
        "peak_rss": 240_000_000,
        "series": series(),
        "phases": {
            name: histogram(middle_s, 4_000)
            for name, middle_s in (
                ("head", 0.08), ("body", 0.004), ("parse", 0.03), ("write", 0.4), ("page", 0.14),
            )
        },
        "stalls": {"longest_s": 0.083, "over_50ms": 3},
        "hosts": [
            {"host": f"shop{number}.example", "ok": 400 // number, "failed": number % 3, "bytes": 10**7 // number,
             "seconds": 40.0 / number, "longest_s": 0.4 + number / 100}
            for number in range(1, 41)
        ] + [{"host": "", "ok": 77, "failed": 3, "bytes": 2_000_000, "seconds": 9.0, "longest_s": 1.2}],
        "slowest": [
            {"url": f"http://shop{number}.example/item/{number}?size=large&colour=blue", "seconds": 3.0 / number,
             "bytes": 30_000}
            for number in range(1, 21)
        ],
        "largest": [
            {"url": f"http://shop{number}.example/catalogue/all-of-them/page-{number}", "seconds": 0.2,
             "bytes": 3_000_000 // number}
            for number in range(1, 21)
        ],
        "limits": [
            {"name": "parse", "share": 0.63, "advice": "raise parse.processes from 1 to 2", "gain": 1.6},
            {"name": "latency", "share": 0.27, "advice": "raise fetch.concurrency from 64 to 128", "gain": 1.2},
            {"name": "ending", "share": 0.1, "advice": "the last URLs are under way", "gain": None},
        ],
        **changed,
    }  # fmt: skip


def write_telemetry(folder: Path, *sessions: dict[str, Any]) -> None:
    """Leave it in a folder, as the sessions of a run do."""
    (folder / "telemetry.json").write_text(json.dumps({"version": 1, "sessions": list(sessions)}), encoding="utf-8")
