"""Records of WARC files, read from any bytes in bounded memory."""

import doctest
import gzip
import io
import time

import pytest

from scraper import warcfile
from scraper.warcfile import (
    MAX_HEAD_BYTES,
    ArchiveError,
    CutError,
    ForeignError,
    LengthError,
    Record,
    open_record,
    parse_fields,
)


def record(block: bytes, length: int | None = None, version: bytes = b"WARC/1.1\r\n") -> bytes:
    return (
        version
        + b"A: b\r\nContent-Length: %d\r\n\r\n" % (len(block) if length is None else length)
        + block
        + b"\r\n\r\n"
    )


def opened(data: bytes) -> Record:
    found = open_record(io.BytesIO(data))
    assert found is not None
    return found


def finish(found: Record) -> None:
    for _ in found.finish():
        pass


PACKINGS = {"plain": lambda data: data, "gzip": gzip.compress}


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(warcfile).failed == 0


@pytest.mark.parametrize("packing", PACKINGS)
def test_records_are_read_one_behind_the_other_however_much_of_each(packing):
    pack = PACKINGS[packing]
    blocks = [b"", b"line\nrest", bytes(100_000), b"last"]
    pieces = [pack(record(block)) for block in blocks]
    file = io.BytesIO(b"".join(pieces))
    for number, block in enumerate(blocks):
        found = open_record(file)
        assert found is not None
        assert found.offset == sum(map(len, pieces[:number]))
        assert found.length == len(block)
        assert found.read_line(3) == block[:3]
        assert found.read(10) == block[3:13]
        finish(found)
        assert found.left == 0
    assert open_record(file) is None


@pytest.mark.parametrize("version", [b"WARC/0.18\r\n", b"WARC/1.0\n", b"WARC/1.1 \r\n", b"WARC/2.0\r\n"])
def test_every_version_is_read(version):
    assert opened(record(b"x", version=version)).get("a") == "b"


@pytest.mark.parametrize("packing", PACKINGS)
def test_block_that_is_cut_is_never_read_as_whole(packing):
    data = PACKINGS[packing](record(b"block")[:-7])
    with pytest.raises(CutError):
        finish(opened(data))
    found = opened(data)
    with pytest.raises(CutError):
        assert [found.read(3) for _ in range(9)]


@pytest.mark.parametrize("packing", PACKINGS)
def test_block_that_is_longer_than_announced_is_told(packing):
    with pytest.raises(LengthError):
        finish(opened(PACKINGS[packing](record(b"block", 3))))


@pytest.mark.parametrize("packing", PACKINGS)
def test_head_beyond_the_limit_is_refused_and_one_within_it_is_not(packing):
    def with_field(size: int) -> bytes:
        return PACKINGS[packing](b"WARC/1.1\r\nX: " + b"y" * size + b"\r\nContent-Length: 0\r\n\r\n")

    assert len(opened(with_field(MAX_HEAD_BYTES - 100)).get("x")) == MAX_HEAD_BYTES - 100
    with pytest.raises(ArchiveError, match="a head of more than"):
        opened(with_field(MAX_HEAD_BYTES))


def test_second_record_in_one_gzip_member_cannot_be_found_again():
    with pytest.raises(ForeignError, match="warcio recompress"):
        finish(opened(gzip.compress(record(b"a") + record(b"b"))))


def test_what_is_no_record_is_damage_behind_one_and_another_file_at_the_start():
    file = io.BytesIO(record(b"x") + b"garbage\n")
    found = open_record(file)
    assert found is not None
    finish(found)
    with pytest.raises(ArchiveError) as caught:
        open_record(file)
    assert not isinstance(caught.value, ForeignError)
    with pytest.raises(ForeignError):
        opened(b"garbage\n")


def test_endless_padding_is_damage():
    with pytest.raises(ArchiveError, match="no record in"):
        open_record(io.BytesIO(bytes(2 << 20)))


def test_field_of_many_folded_lines_takes_linear_time():
    started = time.process_time()
    ((_, value),) = parse_fields(iter([b"A: b\r\n", *[b" c\r\n"] * 200_000]))
    assert len(value) == 1 + 2 * 200_000
    assert time.process_time() - started < 2.0
