"""telemetry.json: what the sessions of a folder leave about how they went. Pure: bytes in, bytes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from scraper.histogram import Histogram
from scraper.series import Series
from scraper.stats import Capacity
from scraper.telemetry import Host, Recorder

VERSION = 1
MOST_SESSIONS = 20
"""The newest; one takes some 40 kB, and 200 with a thousand hosts."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a session ran."""

    started: str
    """RFC 3339, UTC."""
    capacity: Capacity
    python: str
    has_gil: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of a session as a whole."""

    seconds: float
    first_row_s: float | None
    """Seconds until the first row; None where there was none."""
    cpu_s: float | None
    """Of the whole process tree, user and system; None where that cannot be known."""
    write: Histogram
    """From a row's being handed to the writer until it is durable."""
    peak_rss: int | None
    """Bytes, the largest sum over the process tree that was seen; None where that cannot be known."""


def session_record(
    setting: Setting, totals: Totals, recorder: Recorder, series: Series, limits: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """One session as it stands in the file; docs/limits.md tells what each key is."""
    return {
        "started": setting.started,
        "seconds": round(totals.seconds, 3),
        "model": setting.capacity.model,
        "concurrency": setting.capacity.concurrency,
        "processes": setting.capacity.processes,
        "python": setting.python,
        "gil": setting.has_gil,
        "cores": setting.capacity.cores,
        "first_row_s": None if totals.first_row_s is None else round(totals.first_row_s, 3),
        "cpu_s": None if totals.cpu_s is None else round(totals.cpu_s, 3),
        "peak_rss": totals.peak_rss,
        "series": series.as_json(),
        "phases": {
            "head": recorder.head.buckets(),
            "body": recorder.body.buckets(),
            "parse": recorder.parse.buckets(),
            "write": totals.write.buckets(),
            "page": recorder.page.buckets(),
        },
        "stalls": {"longest_s": round(recorder.stalls.longest_s, 4), "over_50ms": recorder.stalls.long},
        "hosts": [_host_json(name, host) for name, host in recorder.hosts()],
        "slowest": [
            {"url": url, "seconds": round(seconds, 4), "bytes": int(size)}
            for seconds, url, size in sorted(recorder.slowest, reverse=True)
        ],
        "largest": [
            {"url": url, "seconds": round(seconds, 4), "bytes": int(size)}
            for size, url, seconds in sorted(recorder.largest, reverse=True)
        ],
        "limits": list(limits),
    }


def with_session(before: bytes | None, record: Mapping[str, Any]) -> bytes:
    """The file with one session more, less the oldest beyond MOST_SESSIONS.

    `before`: what it held, None where there was none. What is no such file, or one of another version, is left behind:
    it is there to be looked at, and no reason to fail.
    """
    earlier: list[Any] = []
    try:
        told = msgspec.json.decode(before or b"{}", type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = {}
    if told.get("version") == VERSION and isinstance(told.get("sessions"), list):
        earlier = told["sessions"]
    sessions = [*earlier, record][-MOST_SESSIONS:]
    return msgspec.json.encode({"version": VERSION, "sessions": sessions}) + b"\n"


def _host_json(name: str, host: Host) -> dict[str, Any]:
    return {
        "host": name,
        "ok": host.ok,
        "failed": host.failed,
        "bytes": host.bytes,
        "seconds": round(host.seconds, 3),
        "longest_s": round(host.longest_s, 4),
    }
