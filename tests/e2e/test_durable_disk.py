"""A disk that is full, or a folder that cannot be written: one line, nothing lost; mended, the same command goes on."""

import ctypes
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest

resource = pytest.importorskip("resource", reason="limits and modes of files as Unix has them")

ROOM = {"jsonl": 40_000, "csv.gz": 12_000, "parquet": 40_000, "sqlite": 250_000, "duckdb": 60_000, "warc": 60_000}
"""Bytes that a file may have, which are too few for the pages: as a full disk does, the next write fails."""
DROP_FROM_BOUNDING_SET, OVERRIDE_MODES, READ_ANY = 24, 1, 2
"""prctl(2), capabilities(7)."""


def urls_told(cli: Any) -> list[str]:
    """The URLs of all rows, by way of the command that reads every store."""
    exported = cli("export", "output", "--to", "jsonl", "-o", "told.jsonl")
    assert exported.code == 0, exported.err
    return sorted(json.loads(line)["url"] for line in (cli.folder / "told.jsonl").read_bytes().splitlines())


@pytest.mark.parametrize("format", ROOM)
def test_full_disk_that_is_enlarged_loses_nothing_in_any_store(cli: Any, site: Any, format: str) -> None:
    if format in ("parquet", "duckdb"):
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    urls = site.urls[:150]
    source = cli.write_list(urls)
    arguments = ("run", source, "--no-progress", "--set", f"write.format={format}", "--set", "write.commit_every=10ms")
    room = (ROOM[format], ROOM[format])
    with cli.start(*arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, room)) as full:
        err = full.communicate(timeout=40)[1].decode()
    assert full.returncode == 1, err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert "same command again" in err
    resumed = cli(*arguments)
    assert resumed.code == 0, resumed.err
    assert (cli.summary()["ok"], cli.failures()) == (150, [])
    if format != "warc":
        assert urls_told(cli) == sorted(urls)
    else:
        assert Counter(archived(cli.folder / "output" / "pages.warc.gz")) == Counter(urls)


def archived(path: Path) -> list[str]:
    iterator = pytest.importorskip("warcio.archiveiterator", reason="warcio is not installed")
    with open(path, "rb") as stream:
        records = iterator.ArchiveIterator(stream, check_digests="raise")
        return [record.rec_headers["WARC-Target-URI"] for record in records if record.rec_type == "response"]


def obey_modes() -> None:
    """In a child that becomes another program: let the modes of files count for root as for anybody."""
    for capability in (OVERRIDE_MODES, READ_ANY):
        ctypes.CDLL(None).prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


AS_ANYBODY: dict[str, Any] = {} if os.geteuid() else {"preexec_fn": obey_modes}


def run_as_anybody(cli: Any, *arguments: str) -> tuple[int, str]:
    with cli.start("run", *arguments, "--no-progress", **AS_ANYBODY) as run:
        err = run.communicate(timeout=40)[1].decode()
    return run.returncode, err


@pytest.fixture
def output(cli: Any) -> Path:
    """The output folder, where modes count."""
    probe = cli.folder / "probe"
    probe.mkdir(mode=0o555)
    may_write = subprocess.run([sys.executable, "-c", "open('file', 'w')"], cwd=probe, stderr=DEVNULL, **AS_ANYBODY)
    if not may_write.returncode:
        pytest.skip("modes do not bind this user")
    folder: Path = cli.folder / "output"
    folder.mkdir()
    return folder


def test_folder_that_cannot_be_written_is_refused_and_left_as_it_is(cli: Any, site: Any, output: Path) -> None:
    output.chmod(0o555)
    code, err = run_as_anybody(cli, cli.write_list(site.urls[:5]))
    assert (code, err) == (2, "scraper: output/journal: cannot be written: Permission denied\n")
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("name", ["journal", "pages.jsonl", "failures.jsonl"])
def test_file_that_cannot_be_written_any_more_ends_the_resume_and_loses_nothing(
    cli: Any, site: Any, output: Path, name: str
) -> None:
    source = cli.write_list(site.urls[:20])
    assert cli("run", source, "--limit", "10").code == 0
    before = {path.name: path.read_bytes() for path in output.iterdir() if path.name != "journal"}
    (output / name).chmod(0o444)
    code, err = run_as_anybody(cli, source)
    assert (code, err) == (2, f"scraper: output/{name}: cannot be written: Permission denied\n")
    assert {path.name: path.read_bytes() for path in output.iterdir() if path.name != "journal"} == before
    (output / name).chmod(0o644)
    assert cli("run", source).code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(site.urls[:20])
