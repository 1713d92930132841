"""Every effect of every store is a point at which the program may die or the disk may fail: the same command resumes.

`driver.py` does the trials; see there. `FAULTS=6 make test ARGS=tests/faults` tries all kinds of faults everywhere.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("driver.py")
ROOT = Path(__file__).parents[2]
THOROUGH = {"jsonl", "sqlite"}
"""Stores for which all kinds of faults are tried each time; for the others half a write and the end."""
STORES = (
    "duckdb",
    "postgres",
    "warc+csv.gz+parquet",
    "sqlite",
    "parquet",
    "jsonl+sqlite",
    "jsonl",
    "jsonl.gz",
    "csv",
    "csv.zst",
    "warc",
    "url:jsonl.gz",
)
"""The longest first, so that no processor waits for one at the end."""


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> "Iterator[dict[str, Future[str]]]":
    """What the driver will have told of each store that is asked for, all processors being at work on them."""
    items = [item for item in request.session.items if item.path == Path(__file__)]
    wanted = [item.callspec.params["stores"] for item in items]  # type: ignore[attr-defined]
    with memory_folder() as base, ThreadPoolExecutor(os.cpu_count()) as pool:
        dsn = {"postgres": server(request)} if "postgres" in wanted else {}
        yield {stores: pool.submit(told, stores, base / str(n), dsn.get(stores)) for n, stores in enumerate(wanted)}
        pool.shutdown(cancel_futures=True)


def server(request: pytest.FixtureRequest) -> str | None:
    """The URL of a server, None where there is none: its own test is skipped then, and no other."""
    try:
        return str(request.getfixturevalue("postgres_url"))
    except pytest.skip.Exception:
        return None


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is room: a trial forces the disk a dozen times."""
    shared = Path("/dev/shm")
    base = tempfile.mkdtemp(dir=shared if shared.is_dir() and os.access(shared, os.W_OK) else None)
    try:
        yield Path(base)
    finally:
        shutil.rmtree(base)


def told(stores: str, base: Path, dsn: str | None) -> str:
    """Run all trials of some stores; gives the list of fault points."""
    base.mkdir()
    faults = os.environ.get("FAULTS") or ("6" if stores in THOROUGH else "1")
    command = [sys.executable, str(DRIVER), stores, str(base), faults, *([dsn] if dsn else [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["problems"] == [], "\n".join(report["problems"])
    lines = [f"{stores}: {report['trials']} trials, all recovered"]
    for what, points in report["points"].items():
        effects = ", ".join(f"{name} x{count}" for name, count in Counter(points).items())
        lines.append(f"  {what}: {len(points)} fault points: {effects}")
        assert len(points) > 15
    return "\n".join(lines)


@pytest.mark.timeout(420)
@pytest.mark.parametrize("stores", STORES)
def test_every_fault_point_is_recovered(
    stores: str,
    reports: "dict[str, Future[str]]",
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> None:
    if "parquet" in stores or "duckdb" in stores:
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    if "warc" in stores:
        pytest.importorskip("warcio", reason="warcio is not installed")
    if "url:" in stores:
        pytest.importorskip("fsspec", reason="the extra remote is not installed")
    if "postgres" in stores:
        request.getfixturevalue("postgres_url")
    record_property("told", reports[stores].result())
