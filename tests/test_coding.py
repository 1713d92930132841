"""Content codings: whole or not at all, at any cut, in bounded steps."""

import gzip
import random
import zlib

import pytest

from scraper.fetch.coding import MAX_MEMBERS, STEP_BYTES, CodingError, CutError, decoder_for

TEXT = b"<html>" + random.Random(3).randbytes(300) + b"hello world " * 500


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "gzip of two members": ("gzip", gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
    "gzip with empty members": ("gzip", gzip.compress(b"") + gzip.compress(TEXT) + gzip.compress(b"")),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "raw deflate": ("deflate", raw_deflate(TEXT)),
}


def decode(coding: str, *pieces: bytes) -> bytes:
    decoder = decoder_for(coding)
    assert decoder is not None
    out = b"".join(part for piece in pieces for part in decoder.feed(piece))
    decoder.finish()
    return out


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 100_000])
def test_any_division_into_pieces_gives_the_same(name: str, size: int) -> None:
    coding, data = PACKED[name]
    assert decode(coding, *(data[i : i + size] for i in range(0, len(data), size))) == TEXT


@pytest.mark.parametrize("name", ["gzip", "zlib", "raw deflate"])
def test_every_cut_is_noticed(name: str) -> None:
    coding, data = PACKED[name]
    for end in range(1, len(data)):
        with pytest.raises(CutError):
            decode(coding, data[:end])


def test_a_cut_second_member_is_noticed() -> None:
    first, second = gzip.compress(TEXT), gzip.compress(TEXT)
    for end in range(1, len(second)):
        with pytest.raises(CutError):
            decode("gzip", first + second[:end])


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_empty_body_is_whole(coding: str) -> None:
    assert decode(coding) == b""
    assert decode(coding, b"") == b""


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 600, b"junk", b"\x1fjunk"])
def test_padding_behind_gzip_is_left_out(padding: bytes) -> None:
    assert decode("gzip", gzip.compress(TEXT) + padding) == TEXT
    assert decode("gzip", gzip.compress(TEXT), padding, b"more") == TEXT


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"<html>plain after all"),
        ("deflate", b"<html>plain after all"),
        ("gzip", PACKED["gzip"][1][:-8] + b"\0" * 8),  # checksum
        ("deflate", PACKED["zlib"][1][:-4] + b"\0" * 4),
        ("gzip", PACKED["gzip"][1] + b"\x1f\x8b\x09rest"),  # a member of an unknown method
    ],
)
def test_what_cannot_be_inflated_is_an_error(coding: str, data: bytes) -> None:
    with pytest.raises(CodingError):
        decode(coding, data)


def test_a_bomb_comes_in_bounded_steps_made_on_request() -> None:
    decoder = decoder_for("gzip")
    assert decoder is not None
    pieces = decoder.feed(gzip.compress(bytes(50_000_000)))
    assert [len(next(pieces)) for _ in range(3)] == [STEP_BYTES] * 3


def test_output_that_ends_on_a_step_is_whole() -> None:
    assert len(decode("gzip", gzip.compress(bytes(2 * STEP_BYTES)))) == 2 * STEP_BYTES


def test_thousands_of_empty_members_are_refused() -> None:
    with pytest.raises(CodingError, match="members"):
        decode("gzip", gzip.compress(b"") * (MAX_MEMBERS + 1))


@pytest.mark.parametrize("header", ["", " ", "identity", "Identity", "identity, identity"])
def test_plain_bodies_need_no_decoder(header: str) -> None:
    assert decoder_for(header) is None


@pytest.mark.parametrize("header", ["GZIP", "x-gzip", " gzip ", "identity, gzip"])
def test_names_are_read_as_browsers_read_them(header: str) -> None:
    assert decode(header, gzip.compress(TEXT)) == TEXT


@pytest.mark.parametrize(
    "header", ["gzip, gzip", ", ".join(["gzip"] * 200), "br", "zstd", "compress", "utf-8", "gzip;q=1"]
)
def test_what_was_not_asked_for_is_refused(header: str) -> None:
    with pytest.raises(CodingError, match="none of those asked for"):
        decoder_for(header)
