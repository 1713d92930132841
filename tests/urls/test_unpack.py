import gzip
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import SourceError
from scraper.urls.unpack import PIECE_BYTES, Unpacker

TEXT = b"http://a.example/1\nhttp://a.example/2\n"


def unpack(data: bytes, cuts=()) -> tuple[bytes, str | None]:
    unpacker = Unpacker("list")
    edges = [0, *sorted(cuts), len(data)]
    pieces = [piece for a, b in pairwise(edges) for piece in unpacker.feed(data[a:b])]
    pieces += unpacker.finish()
    return b"".join(pieces), unpacker.damage


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"a", b"a"),
        (TEXT, TEXT),
        (gzip.compress(TEXT), TEXT),
        (gzip.compress(b""), b""),
        (gzip.compress(TEXT) + gzip.compress(TEXT), TEXT + TEXT),
        (gzip.compress(TEXT) + bytes(512), TEXT),
        (gzip.compress(TEXT) + bytes(9) + gzip.compress(b"x"), TEXT + b"x"),
        (b"\xff\xfe" + TEXT.decode().encode("utf-16-le"), TEXT),
        (b"\xfe\xff" + "\u00fc".encode("utf-16-be"), "\u00fc".encode()),
        (gzip.compress(b"\xff\xfe" + TEXT.decode().encode("utf-16-le")), TEXT),
    ],
)
@pytest.mark.parametrize("cuts", [(), range(200)])
def test_gzip_and_utf_16_are_taken_off(data, expected, cuts):
    assert unpack(data, [cut for cut in cuts if cut <= len(data)]) == (expected, None)


@given(st.integers(1, len(gzip.compress(TEXT)) - 1))
def test_cut_gzip_is_damaged_and_what_is_given_is_right(length):
    text, damage = unpack(gzip.compress(TEXT)[:length])
    if length > 1:
        assert TEXT.startswith(text)
        assert "cut" in damage


def test_cut_gzip_gives_what_came_before_the_cut():
    packed = gzip.compress(TEXT, mtime=0) + gzip.compress(TEXT, mtime=0)
    assert unpack(packed[:-4]) == (TEXT + TEXT, "the gzip data ends here, before its end: the file is cut")


def test_damaged_gzip_says_so_and_ignores_the_rest():
    text, damage = unpack(gzip.compress(TEXT) + b"rubbish" + gzip.compress(TEXT))
    assert text == TEXT
    assert "damaged" in damage


def test_bomb_comes_out_in_bounded_pieces():
    packed = gzip.compress(bytes(50_000_000), mtime=0)
    unpacker = Unpacker("list")
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in unpacker.feed(packed)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= PIECE_BYTES
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04....", "Excel"),
        (b"BZh91AY&", "bzip2 -dc"),
        (b"\xfd7zXZ\x00\x00", "xz -dc"),
        (b"\x28\xb5\x2f\xfd....", "zstd -dc"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"PAR1....", "Parquet"),
    ],
)
def test_known_other_files_are_refused_by_name(head, words):
    with pytest.raises(SourceError, match=words):
        unpack(head)
