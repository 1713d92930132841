"""Trials and figures as they might have been measured, with parts to be changed."""

import json
from pathlib import Path
from typing import Any

import msgspec

from scraper.measure.compare.measured import Measured
from scraper.measure.report.told import SessionTold
from scraper.measure.spread import Spread
from scraper.measure.tree import Usage
from scraper.measure.trial import Trial
from tests.measure.example import session


def told(**changed: Any) -> SessionTold:
    return msgspec.json.decode(json.dumps(session(**changed)).encode(), type=SessionTold)


def trial(ok: int = 1001, usage: Usage | None = None, **changed: Any) -> Trial:
    """A session of 10.5 s whose first row came after 0.5."""
    changed = {"seconds": 10.5, "first_row_s": 0.5, "started": "2026-11-22T23:05:23.000Z"} | changed
    own = usage or Usage(wall_s=12.0, cpu_s=15.0, main_cpu_s=8.0, peak_bytes=80_000_000)
    return Trial({}, Path("nowhere"), ok, {}, 10.6, own, told(**changed))


def measured(model: str, pages_per_s: float, off: float = 0.0, **changed: Any) -> Measured:
    """A model of which each figure is steady, but for the speed, which goes `off` to either side."""
    steady = {
        "rounds": 3,
        "pages": 500,
        "ok": 500,
        "concurrency": 64,
        "processes": 2,
        "all_pages_per_s": same(pages_per_s * 0.8),
        "first_row_s": same(0.1),
        "cpu_ms": same(1.0),
        "cores": same(1.2),
        "peak_bytes": same(80_000_000),
        "p50_s": same(0.05),
        "p95_s": same(0.09),
        "p99_s": same(0.12),
        "stall_s": same(0.01),
        "working_s": 3.0,
        "head_s": 0.02,
        "loop_ms": 0.4,
        "parse_ms": 0.6,
        "page_bytes": 30_000,
        "limit": "parse",
    }
    speed = Spread(pages_per_s, pages_per_s - off, pages_per_s + off)
    return Measured(model=model, pages_per_s=speed, **(steady | changed))


def same(value: float) -> Spread:
    return Spread(value, value, value)
