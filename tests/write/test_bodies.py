"""Kept bodies: whole or not there, and a disk that is full is told."""

import gzip

import pytest
from msgspec.structs import replace

from scraper.coding import STEP_BYTES
from scraper.errors import WriteError
from scraper.records import Fault, Page
from scraper.write import bodies
from scraper.write.bodies import BodyFolder, remove_bodies, remove_parts

PAGE = Page("http://a.example/", "http://a.example/", 200, "text/html", b"<p>hello", 0.0)
MAX_BODY = 1_000_000


async def test_equal_bodies_are_one_file(tmp_path):
    folder = BodyFolder(tmp_path, MAX_BODY)
    kept = [await folder.keep(PAGE), await folder.keep(PAGE)]
    (file,) = (tmp_path / "bodies").iterdir()
    assert {page.body_file for page in kept} == {f"bodies/{file.name}"}
    assert file.read_bytes() == PAGE.body


@pytest.mark.parametrize("size", [0, 100, STEP_BYTES, 3 * STEP_BYTES + 1])
async def test_coded_body_is_stored_plain_and_handed_on_as_it_came(tmp_path, size):
    plain = replace(PAGE, body=bytes(size))
    coded = replace(PAGE, body=gzip.compress(plain.body), coding="gzip")
    folder = BodyFolder(tmp_path, MAX_BODY)
    kept = await folder.keep(coded)
    assert kept == replace(coded, body_file=kept.body_file)
    assert (tmp_path / kept.body_file).read_bytes() == plain.body
    assert (await folder.keep(plain)).body_file == kept.body_file


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (gzip.compress(bytes(600_000))[:-9], "truncated"),
        (b"no gzip at all", "decode"),
        (gzip.compress(bytes(MAX_BODY + 1)), "too_large"),
    ],
)
async def test_body_that_is_not_whole_is_a_fault_and_leaves_no_part(tmp_path, body, kind):
    fault = await BodyFolder(tmp_path, MAX_BODY).keep(replace(PAGE, body=body, coding="gzip"))
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status) == (kind, 200)
    assert list((tmp_path / "bodies").iterdir()) == []


async def test_full_disk_is_a_write_error_and_leaves_no_part(tmp_path, monkeypatch):
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bodies.os, "replace", full_disk)
    with pytest.raises(WriteError, match="cannot be written: No space left on device"):
        await BodyFolder(tmp_path, MAX_BODY).keep(PAGE)
    assert list((tmp_path / "bodies").iterdir()) == []


async def test_only_files_of_our_naming_are_removed(tmp_path):
    kept = await BodyFolder(tmp_path, MAX_BODY).keep(PAGE)
    mine, part = tmp_path / "bodies" / "index.html", (tmp_path / str(kept.body_file)).with_suffix(".part")
    mine.touch()
    part.touch()
    remove_parts(tmp_path)
    assert not part.exists()
    remove_bodies(tmp_path)
    assert list((tmp_path / "bodies").iterdir()) == [mine]
    mine.unlink()
    remove_bodies(tmp_path)
    assert not (tmp_path / "bodies").exists()
    remove_bodies(tmp_path)
