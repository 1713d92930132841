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
from collections.abc import Iterator
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("driver.py")
ROOT = Path(__file__).parents[2]
THOROUGH = {"jsonl", "sqlite"}
"""Stores for which all kinds of faults are tried each time; of the others the most telling."""
SLOW = {"duckdb", "postgres", "warc+csv.gz+parquet"}
"""Stores of which a trial takes a quarter of a second: one kind of fault."""
STORES = (
    "jsonl",
    "jsonl.gz",
    "csv",
    "csv.zst",
    "parquet",
    "sqlite",
    "duckdb",
    "warc",
    "jsonl+sqlite",
    "warc+csv.gz+parquet",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is room: a trial forces the disk a dozen times."""
    shared = Path("/dev/shm")
    base = tempfile.mkdtemp(dir=shared if shared.is_dir() and os.access(shared, os.W_OK) else None)
    yield Path(base)
    shutil.rmtree(base)


def told(stores: str, base: Path, *dsn: str) -> str:
    """Run all trials of some stores; gives the list of fault points."""
    faults = os.environ.get("FAULTS") or ("6" if stores in THOROUGH else "1" if stores in SLOW else "2")
    command = [sys.executable, str(DRIVER), stores, str(base), faults, *dsn]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["problems"] == [], "\n".join(report["problems"])
    lines = [f"{stores}: {report['trials']} trials, all recovered"]
    for what, points in report["points"].items():
        effects = ", ".join(f"{name} x{count}" for name, count in Counter(points).items())
        lines.append(f"  {what}: {len(points)} fault points: {effects}")
        assert len(points) > 20
    return "\n".join(lines)


@pytest.mark.timeout(420)
@pytest.mark.parametrize("stores", STORES)
def test_every_fault_point_is_recovered(stores: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if "parquet" in stores or "duckdb" in stores:
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    if "warc" in stores:
        pytest.importorskip("warcio", reason="warcio is not installed")
    report = told(stores, folder)
    with capsys.disabled():
        print(f"\n{report}")


@pytest.mark.timeout(420)
def test_every_fault_point_is_recovered_in_postgresql(
    postgres_url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told("postgres", folder, postgres_url)
    with capsys.disabled():
        print(f"\n{report}")
