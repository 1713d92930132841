"""Compressed row files: readable by everyone, cut only at the border of a member."""

import gzip
import subprocess
from pathlib import Path
from shutil import which

import pytest
from backports import zstd

from scraper.errors import SinkError
from scraper.write.compressed import CompressedFile, Compression, open_compressed
from scraper.write.cull import Cull

BOTH = pytest.mark.parametrize("compression", ["gz", "zst"])


def opened(
    path: Path, compression: Compression, committed: int = 0, head: bytes = b"", form: str = ""
) -> CompressedFile:
    file = CompressedFile(path, head, form=form, compression=compression)
    file.open()
    file.recover({path.name: committed})
    return file


def plain(path: Path, compression: str) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if compression == "gz" else zstd.decompress(data)


@BOTH
def test_every_commit_ends_a_member_and_all_are_one_stream(tmp_path, compression):
    path = tmp_path / "rows"
    file = opened(path, compression, head=b"head\n")
    lengths = []
    for rows in ([b"one\n"], [b"two\n", b"three\n"], []):
        if rows:
            file.write(rows)
        lengths.append(file.commit()["rows"])
    file.close()
    assert lengths[1] == lengths[2] == path.stat().st_size, "a commit of nothing adds nothing"
    assert plain(path, compression) == b"head\none\ntwo\nthree\n"
    with open_compressed(path, compression) as lines:
        assert list(lines) == [b"head\n", b"one\n", b"two\n", b"three\n"]
    assert plain_of_prefix(path, lengths[0], compression) == b"head\none\n"


def plain_of_prefix(path: Path, length: int, compression: str) -> bytes:
    data = path.read_bytes()[:length]
    return gzip.decompress(data) if compression == "gz" else zstd.decompress(data)


@BOTH
def test_resume_cuts_at_the_committed_member_and_goes_on(tmp_path, compression):
    path = tmp_path / "rows"
    file = opened(path, compression)
    file.write([b"one\n"])
    committed = file.commit()["rows"]
    file.write([b"lost\n" * 100_000])
    file.close()
    assert path.stat().st_size > committed, "some of the member was on its way"
    file = opened(path, compression, committed)
    file.write([b"two\n"])
    file.commit()
    file.close()
    assert plain(path, compression) == b"one\ntwo\n"


@BOTH
def test_file_shorter_than_its_commit_is_refused(tmp_path, compression):
    (tmp_path / "rows").write_bytes(b"")
    file = CompressedFile(tmp_path / "rows", compression=compression)
    file.open()
    with pytest.raises(SinkError, match="5 were committed"):
        file.recover({"rows": 5})
    file.close()


@BOTH
def test_file_without_rows_has_its_head(tmp_path, compression):
    file = opened(tmp_path / "rows", compression, head=b"url\r\n")
    file.finish()
    file.commit()
    file.close()
    assert plain(tmp_path / "rows", compression) == b"url\r\n"


@BOTH
def test_culled_lines_are_gone_and_the_file_goes_on(tmp_path, compression):
    path = tmp_path / "rows"
    file = opened(path, compression, form="jsonl")
    file.write([b'{"url":"1"}\n', b'{"url":"2"}\n', b'{"url":"1","new":true}\n'])
    file.commit()
    rewritten = file.rewrite(Cull({1: "ok"}, int, lambda outcome: outcome == "ok"))
    assert rewritten.swapped == ["rows"]
    assert len(plain(path, compression).splitlines()) == 3, "the old file stands until the journal tells"
    file.settle()
    assert path.stat().st_size == rewritten.files["rows"]
    file.write([b'{"url":"3"}\n'])
    file.commit()
    file.close()
    assert plain(path, compression) == b'{"url":"2"}\n{"url":"1","new":true}\n{"url":"3"}\n'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("was_told", [True, False])
def test_rewritten_file_takes_its_place_only_where_the_journal_told(tmp_path, was_told):
    path = tmp_path / "rows"
    file = opened(path, "gz", form="jsonl")
    file.write([b'{"url":"1"}\n', b'{"url":"1","new":true}\n'])
    before = file.commit()
    after = file.rewrite(Cull({1: "ok"}, int, lambda outcome: True)).files
    file.close()  # killed here
    file = CompressedFile(path, form="jsonl", compression="gz")
    file.open()
    file.recover(after if was_told else before, ["rows"] if was_told else [])
    file.close()
    assert len(plain(path, "gz").splitlines()) == (1 if was_told else 2)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("compression", "tool"), [("gz", "gzip"), ("zst", "zstd")])
def test_systems_own_tool_reads_it(tmp_path, compression, tool):
    if which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    file = opened(tmp_path / f"rows.{compression}", compression)
    for row in (b"one\n", b"two\n"):
        file.write([row])
        file.commit()
    file.close()
    command = [tool, "-dc", str(tmp_path / f"rows.{compression}")]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"one\ntwo\n"
