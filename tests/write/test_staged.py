"""Rows that become closed parts: staged rows are never lost, parts nobody counts never stay."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from pyarrow import parquet

from scraper.errors import ConfigError, SinkError
from scraper.records import Column
from scraper.write.cull import Cull
from scraper.write.encode import csv_head
from scraper.write.parquet import ParquetForm
from scraper.write.partforms import LinesForm
from scraper.write.partplaces import FolderPlace, RemotePlace
from scraper.write.staged import PartForm, StagedParts
from scraper.write.tablerows import parquet_encoder

PARTS = "parts"


def jsonl_parts(folder: Path, part_bytes: int = 20, form: PartForm | None = None) -> StagedParts:
    form = form or LinesForm(".jsonl", form="jsonl")
    return StagedParts(FolderPlace(folder / PARTS, PARTS), form, folder / "rows", part_bytes)


def begun(store: StagedParts, files: Mapping[str, int]) -> StagedParts:
    store.open()
    store.recover(files)
    return store


def row(number: int, text: str = "") -> bytes:
    return b'{"url":"%d","text":"%b"}\n' % (number, text.encode())


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / PARTS).iterdir())}


def test_rows_are_staged_until_they_are_enough_for_a_part(tmp_path):
    store = begun(jsonl_parts(tmp_path, part_bytes=2 * len(row(1))), {})
    store.write([row(1)])
    assert store.commit() == {"rows": len(row(1))}
    store.settle()
    store.write([row(2)])
    files = store.commit()
    assert files == {"parts/part-00000.jsonl": 2 * len(row(1)), "rows": 0}
    assert (tmp_path / "rows").stat().st_size == 2 * len(row(1)), "they stay until the journal tells of the part"
    store.settle()
    assert (tmp_path / "rows").stat().st_size == 0
    store.write([row(3)])
    store.commit()
    store.settle()
    store.finish()
    assert store.commit() == {**files, "parts/part-00001.jsonl": len(row(3))}
    store.settle()
    store.close()
    assert content(tmp_path) == {"part-00000.jsonl": row(1) + row(2), "part-00001.jsonl": row(3)}
    assert not (tmp_path / "rows").exists()


def test_part_that_no_commit_names_is_made_again_from_what_is_staged(tmp_path):
    store = begun(jsonl_parts(tmp_path), {})
    store.write([row(1)])
    told = dict(begun_files := {"rows": len(row(1))})
    store.commit()
    store.close()  # killed before the journal's line
    assert content(tmp_path).keys() == {"part-00000.jsonl"}
    store = begun(jsonl_parts(tmp_path), told)
    assert content(tmp_path) == {}
    store.finish()
    assert store.commit() == {"parts/part-00000.jsonl": len(row(1)), "rows": 0}
    store.close()
    assert begun_files == told


def test_staged_rows_that_a_named_part_holds_are_not_used_twice(tmp_path):
    store = begun(jsonl_parts(tmp_path), {})
    store.write([row(1)])
    told = dict(store.commit())
    store.close()  # killed behind the journal's line, before the staged rows went
    assert (tmp_path / "rows").stat().st_size
    store = begun(jsonl_parts(tmp_path), told)
    store.write([row(2)])
    store.finish()
    assert set(store.commit()) == {"parts/part-00000.jsonl", "parts/part-00001.jsonl", "rows"}
    store.close()
    assert content(tmp_path) == {"part-00000.jsonl": row(1), "part-00001.jsonl": row(2)}


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_part_changed_by_hand_is_refused(tmp_path, damage):
    store = begun(jsonl_parts(tmp_path), {})
    store.write([row(1)])
    told = store.commit()
    store.close()
    damage(tmp_path / PARTS / "part-00000.jsonl")
    store = jsonl_parts(tmp_path)
    with pytest.raises(SinkError, match=r"parts/part-00000\.jsonl: .* were committed.*--fresh"):
        begun(store, told)
    store.close()


def test_files_of_others_in_the_folder_stay(tmp_path):
    (tmp_path / PARTS).mkdir()
    (tmp_path / PARTS / "README").write_text("mine")
    begun(jsonl_parts(tmp_path), {}).close()
    assert content(tmp_path) == {"README": b"mine"}


COLUMNS = (Column("url"), Column("text"))


def csv_row(number: int, text: str = "") -> bytes:
    return b"%d,%b\r\n" % (number, text.encode())


def parquet_row(number: int, text: str = "") -> bytes:
    return parquet_encoder(COLUMNS)({"url": str(number), "text": text})


FORMS = {
    "jsonl": (LinesForm(".jsonl", form="jsonl"), row),
    "csv.gz": (LinesForm(".csv.gz", csv_head(["url", "text"]), "gz", "csv"), csv_row),
    "parquet": (ParquetForm(COLUMNS), parquet_row),
}


def rows_in(folder: Path, format: str) -> list[tuple[str, str]]:
    """URL and text of each row of all parts."""
    found = []
    for path in sorted((folder / PARTS).iterdir()):
        if format == "parquet":
            found += [(each["url"], each["text"]) for each in parquet.read_table(path).to_pylist()]
        elif format == "jsonl":
            found += [(each["url"], each["text"]) for each in map(json.loads, path.read_bytes().splitlines())]
        else:
            found += [tuple(line.split(",")) for line in gzip.decompress(path.read_bytes()).decode().split()[1:]]
    return found


@pytest.mark.parametrize("format", FORMS)
def test_culled_parts_are_made_anew_and_the_others_stay(tmp_path, format):
    form, encode = FORMS[format]
    store = begun(jsonl_parts(tmp_path, part_bytes=1, form=form), {})
    for rows in ([(1, "old"), (2, "")], [(3, "")], [(1, "new")], [(4, "gone")]):
        store.write([encode(*each) for each in rows])
        before = store.commit()
        store.settle()
    rewritten = store.rewrite(Cull({1: "ok", 4: "dns"}, int, lambda outcome: outcome == "ok"))
    assert rewritten.swapped == ()
    names = {name.partition("/")[2].partition(".")[0] for name in rewritten.files if "/" in name}
    assert names == {"part-00001", "part-00002", "part-00004"}, "a part without rows is not made"
    assert {f"{PARTS}/{name}" for name in content(tmp_path)} >= before.keys() - {"rows"}, "until the journal tells"
    store.settle()
    store.close()
    assert {f"{PARTS}/{name}" for name in content(tmp_path)} == rewritten.files.keys() - {"rows"}
    assert sorted(rows_in(tmp_path, format)) == [("1", "new"), ("2", ""), ("3", "")]


def test_url_nobody_knows_is_refused(tmp_path):
    with pytest.raises(SinkError, match="no URL that fsspec knows"):
        RemotePlace("nosuch://a/b", "nosuch://a/b").open()


def test_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(ConfigError, match=r"hybrid-scraper\[s3\]"):
        RemotePlace("s3://a/b", "s3://a/b").open()
