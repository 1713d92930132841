"""Content codings: whole or not at all, at any cut and in any chain, in bounded steps."""

import gzip
import random
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

import brotli
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scraper.coding import (
    ACCEPT_ENCODING,
    MOST_CODINGS,
    MOST_EMPTY,
    STEP_BYTES,
    CodingError,
    CutError,
    TooLargeError,
    coding_of,
    decoded,
    plain_pieces,
    start_of,
)
from scraper.records import Fault, Page

zstd = pytest.importorskip("backports.zstd", reason="on Python 3.14 and later it is compression.zstd")

TEXT = b"<html>" + random.Random(3).randbytes(300) + b"hello world " * 500
SKIPPED_FRAME = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
UNBOUNDED = 1 << 40


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zstd_with_window(log: int) -> bytes:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
    return packer.compress(random.Random(1).randbytes(1000) * 20_000) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "brotli": ("br", lambda data: brotli.compress(data, quality=4)),
    "zstd": ("zstd", zstd.compress),
}
PACKED = {
    **{name: (coding, pack(TEXT)) for name, (coding, pack) in PACKERS.items()},
    "gzip of two members": ("gzip", gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
    "gzip with empty members": ("gzip", gzip.compress(b"") + gzip.compress(TEXT) + gzip.compress(b"")),
    "gzip of 3,000 members": ("gzip", b"".join(gzip.compress(TEXT[i : i + 2]) for i in range(0, 6000, 2))),
    "zstd of two frames": ("zstd", zstd.compress(TEXT[:99]) + zstd.compress(TEXT[99:])),
    "zstd with frames to skip": ("zstd", SKIPPED_FRAME + zstd.compress(TEXT) + SKIPPED_FRAME),
}
PACKED["gzip of 3,000 members"] = ("gzip", PACKED["gzip of 3,000 members"][1] + gzip.compress(TEXT[6000:]))


def undo(coding: str, body: bytes, limit: int = UNBOUNDED) -> bytes:
    return b"".join(plain_pieces(body, coding, limit))


@pytest.mark.parametrize("name", PACKED)
def test_each_coding_is_undone(name: str) -> None:
    coding, body = PACKED[name]
    assert undo(coding, body) == TEXT


@pytest.mark.parametrize("name", PACKERS)
def test_every_cut_is_noticed(name: str) -> None:
    coding, body = PACKED[name]
    for end in range(1, len(body)):
        with pytest.raises(CutError):
            undo(coding, body[:end])


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_cut_further_member_is_noticed(coding: str, pack: Callable[[bytes], bytes]) -> None:
    first = second = pack(TEXT)
    for end in range(1, len(second)):
        with pytest.raises(CutError):
            undo(coding, first + second[:end])


chains = st.lists(st.sampled_from(sorted(PACKERS)), min_size=1, max_size=MOST_CODINGS)
bodies = st.binary(max_size=300) | st.tuples(st.binary(max_size=20), st.integers(0, 40_000)).map(lambda t: t[0] * t[1])


@given(body=bodies, chain=chains, cut=st.floats(0, 1, exclude_max=True))
@example(body=bytes(2 * STEP_BYTES), chain=["gzip", "brotli", "zstd", "raw deflate", "zlib"], cut=0.999)
def test_any_chain_is_undone_whole_and_cut_anywhere_it_is_cut(body: bytes, chain: list[str], cut: float) -> None:
    packed = body
    for name in chain:
        packed = PACKERS[name][1](packed)
    header = coding_of(", ".join(PACKERS[name][0] for name in chain))
    assert undo(header, packed) == body
    if end := int(cut * len(packed)):
        with pytest.raises(CutError):
            undo(header, packed[:end])


@given(body=st.binary(max_size=400), chain=chains)
def test_any_bytes_are_undone_or_refused(body: bytes, chain: list[str]) -> None:
    with suppress(CodingError):
        assert len(undo(", ".join(PACKERS[name][0] for name in chain), body, 10_000)) <= 10_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_an_empty_body_is_whole(coding: str) -> None:
    assert undo(coding, b"") == b""


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 600, b"junk", b"\x1fjunk", b"\0" * 300_000])
@pytest.mark.parametrize("name", ["gzip", "gzip of two members", "zlib", "raw deflate", "zstd"])
def test_padding_behind_the_end_is_left_out(name: str, padding: bytes) -> None:
    coding, body = PACKED[name]
    assert undo(coding, body + padding) == TEXT


def test_padding_in_a_chain_does_not_hide_a_cut() -> None:
    packed = brotli.compress(gzip.compress(TEXT) + random.Random(1).randbytes(200_000))
    assert undo("gzip, br", packed) == TEXT
    with pytest.raises(CutError):
        undo("gzip, br", packed[:-9])


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        *((coding, b"<html>plain after all, and long enough") for coding in ("gzip", "deflate", "br", "zstd")),
        ("gzip", PACKED["gzip"][1][:-8] + b"\0" * 8),  # checksum
        ("deflate", PACKED["zlib"][1][:-4] + b"\0" * 4),
        ("gzip", PACKED["gzip"][1] + b"\x1f\x8b\x09rest"),  # a member of an unknown method
        ("br", PACKED["brotli"][1] + b"rest"),
        ("gzip, br", PACKED["gzip"][1]),
        ("zstd", zstd_with_window(24)),  # RFC 9659
    ],
)
def test_what_is_not_as_announced_is_an_error(coding: str, body: bytes) -> None:
    with pytest.raises(CodingError) as caught:
        undo(coding, body)
    assert caught.value.kind == "decode"


def test_the_largest_window_that_zstd_may_ask_for_is_given() -> None:
    assert len(undo("zstd", zstd_with_window(23))) == 20_000_000


BOMB = bytes(5_000_000)


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_comes_in_bounded_steps_made_on_request(name: str) -> None:
    coding, pack = PACKERS[name]
    pieces = plain_pieces(pack(BOMB), coding, UNBOUNDED)
    assert all(0 < len(piece) <= 2 * STEP_BYTES for piece in islice(pieces, 3))


@pytest.mark.parametrize("name", PACKERS)
def test_more_than_the_limit_is_too_large(name: str) -> None:
    coding, pack = PACKERS[name]
    assert undo(coding, pack(TEXT), len(TEXT)) == TEXT
    with pytest.raises(TooLargeError, match=r"larger than fetch\.max_body"):
        undo(coding, pack(TEXT), len(TEXT) - 1)


def test_limit_holds_between_two_codings_too() -> None:
    """Members without content: much that decodes to nothing."""
    with pytest.raises(TooLargeError):
        undo("gzip, gzip", gzip.compress(gzip.compress(b"") * 900), 10_000)


@pytest.mark.parametrize("size", [STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1, 2 * STEP_BYTES])
@pytest.mark.parametrize("name", PACKERS)
def test_output_that_ends_on_a_step_is_whole(name: str, size: int) -> None:
    coding, pack = PACKERS[name]
    for body in (bytes(size), random.Random(size).randbytes(size)):
        assert undo(coding, pack(body)) == body


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_thousands_of_empty_members_are_refused(coding: str, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CodingError, match="empty members"):
        undo(coding, pack(b"") * (MOST_EMPTY + 1))
    assert undo(coding, pack(b"") * MOST_EMPTY + pack(b"a")) == b"a"


def test_many_small_members_take_linear_time() -> None:
    """CVE-2026-128131: what a member leaves was copied for each, 8 s for this body."""
    started = time.process_time()
    assert undo("gzip", gzip.compress(b"a", 1) * 100_000) == b"a" * 100_000
    assert time.process_time() - started < 4


HEADERS = [
    ("", ""),
    (" ", ""),
    ("identity", ""),
    ("Identity, identity", ""),
    ("GZIP", "gzip"),
    ("x-gzip", "gzip"),
    (" gzip ", "gzip"),
    ("identity, gzip", "gzip"),
    ("gzip,br", "gzip, br"),
    (", ".join(["gzip"] * MOST_CODINGS), ", ".join(["gzip"] * MOST_CODINGS)),
]


@pytest.mark.parametrize(("header", "coding"), HEADERS)
def test_names_are_read_as_browsers_read_them(header: str, coding: str) -> None:
    assert coding_of(header) == coding


@pytest.mark.parametrize("header", ["compress", "utf-8", "gzip;q=1", "x-br", "gzip, snappy", "caf\xe9"])
def test_what_was_not_asked_for_is_refused(header: str) -> None:
    with pytest.raises(CodingError, match="none of those asked for"):
        coding_of(header)


@pytest.mark.parametrize("count", [MOST_CODINGS + 1, 200])
def test_more_codings_than_anyone_needs_are_refused(count: int) -> None:
    with pytest.raises(CodingError, match=f"{count} content codings"):
        coding_of(", ".join(["gzip"] * count))


def test_what_we_ask_for_we_can_undo() -> None:
    assert coding_of(ACCEPT_ENCODING) == ACCEPT_ENCODING


def page(body: bytes, coding: str) -> Page:
    return Page("http://a/", "http://a/", 203, "text/html", body, 0.0, {"id": 1}, "bodies/a.html", coding, True)


def test_decoded_page_differs_in_nothing_else() -> None:
    assert decoded(page(gzip.compress(TEXT), "gzip"), len(TEXT)) == page(TEXT, "")


def test_plain_page_is_given_as_it_is() -> None:
    plain = page(TEXT, "")
    assert decoded(plain, 1) is plain


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (gzip.compress(TEXT)[:-1], "truncated", "the gzip body ended before its end mark: try later"),
        (b"<html>", "decode", "the server sends what it does not announce"),
        (gzip.compress(BOMB), "too_large", "larger than fetch.max_body (1,000,000 bytes): raise it"),
    ],
)
def test_page_that_is_not_whole_is_a_fault_with_its_status(body: bytes, kind: str, words: str) -> None:
    fault = decoded(page(body, "gzip"), 1_000_000)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status) == (kind, 203)
    assert words in fault.message


@pytest.mark.parametrize("name", PACKERS)
def test_start_of_a_body_is_given_where_it_was_cut_or_is_longer(name: str) -> None:
    coding, pack = PACKERS[name]
    body = random.Random(2).randbytes(3 * STEP_BYTES)
    packed = pack(body)
    assert start_of(packed, coding, 500_000) == body[:500_000]
    assert start_of(packed, coding, len(body) + 9) == body
    part = start_of(packed[: len(packed) // 2], coding, 500_000)
    assert len(part) > 100_000
    assert body.startswith(part)
    assert start_of(b"plain", "", 3) == b"pla"
