"""Kept bodies: whole or not there, and a disk that is full is told."""

import pytest

from scraper.errors import WriteError
from scraper.records import Page
from scraper.write import bodies
from scraper.write.bodies import BodyFolder, remove_bodies, remove_parts

PAGE = Page("http://a.example/", "http://a.example/", 200, "text/html", b"<p>hello", 0.0)


async def test_equal_bodies_are_one_file(tmp_path):
    folder = BodyFolder(tmp_path)
    kept = [await folder.keep(PAGE), await folder.keep(PAGE)]
    (file,) = (tmp_path / "bodies").iterdir()
    assert {page.body_file for page in kept} == {f"bodies/{file.name}"}
    assert file.read_bytes() == PAGE.body


async def test_full_disk_is_a_write_error_and_leaves_no_part(tmp_path, monkeypatch):
    async def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bodies.aiofiles.os, "replace", full_disk)
    with pytest.raises(WriteError, match="cannot be written: No space left on device"):
        await BodyFolder(tmp_path).keep(PAGE)
    assert list((tmp_path / "bodies").iterdir()) == []


async def test_only_files_of_our_naming_are_removed(tmp_path):
    kept = await BodyFolder(tmp_path).keep(PAGE)
    mine, part = tmp_path / "bodies" / "index.html", (tmp_path / str(kept.body_file)).with_suffix(".1a.part")
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
