"""The encoding of a page, against html5lib's cases and the rules of the HTML and Encoding standards."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from scraper.parse.charset import decide_charset, decode, decode_as
from scraper.parse.guess import SAMPLE_BYTES, guess_encoding

CASES = Path(__file__).parents[2] / "../shared/cases/charset/html5lib_encoding.jsonl"
SJIS = "日本語".encode("shift_jis")


@pytest.mark.skipif(not CASES.exists(), reason="the shared charset cases are not on this machine")
def test_agrees_with_every_html5lib_case_that_needs_no_script_engine() -> None:
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    runnable = [case for case in cases if case["kind"] != "scripted"]
    wrong = [
        (case["file"], case["index"], case["encoding"], got)
        for case in runnable
        if (got := decide_charset(base64.b64decode(case["data_b64"]), "")) != case["encoding"]
    ]
    assert len(runnable) > 80
    assert wrong == []


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        # 1. a byte order mark beats all else
        (b"\xef\xbb\xbf<p>", "text/html; charset=gbk", "utf-8"),
        (b"\xff\xfe<\0p\0>\0", "text/html; charset=utf-8", "utf-16le"),
        (b"\xfe\xff\0<\0p\0>", "", "utf-16be"),
        # 2. the header beats meta
        (b"<meta charset=gbk>", "text/html; charset=euc-kr", "euc-kr"),
        (b"<meta charset=gbk>", 'text/html;charset="Shift_JIS"', "shift_jis"),
        (b"<meta charset=gbk>", "text/html; CHARSET = 'utf8'", "utf-8"),
        (b"<meta charset=gbk>", "text/html; charset=utf-8,gbk", "utf-8"),
        (b"", "text/html; charset=iso-8859-1", "windows-1252"),
        (b"", "text/html; charset=UTF-16", "utf-16le"),
        # labels that the standard does not know are passed over, Python's codecs among them
        (b"<meta charset=gbk>", "text/html; charset=nonsense", "gbk"),
        (b"<meta charset=gbk>", "text/html; charset=utf-7", "gbk"),
        (b"<meta charset=idna>", "text/html; charset=unicode_escape", "windows-1252"),
        (b"<meta charset=gbk>", "text/html; charset=", "gbk"),
        (b"<meta charset=gbk>", "text/html; charset=\xfc", "gbk"),
        # 3. meta, where the standard replaces what cannot be meant
        (b"<meta charset=utf-16>", "", "utf-8"),
        (b"<meta charset=x-user-defined>", "", "windows-1252"),
        (b"<!--><meta charset=gbk>", "", "gbk"),
        (b"<!-- <meta charset=gbk> <meta charset=big5>", "", "windows-1252"),
        (b"<meta charset=gbk http-equiv=x charset=big5>", "", "gbk"),
        (b"<meta http-equiv=content-type content='a; charset=; charset=gbk'>", "", "windows-1252"),
        (b"</p charset=x><meta charset=gbk>", "", "gbk"),
        (b"<?php <meta charset=big5> ?><meta charset=gbk>", "", "gbk"),
        (b"<p>" + b" " * 2000 + b"<meta charset=gbk>", "", "gbk"),
        (b'<?xml version="1.0" encoding="ISO-8859-2"?><html>', "", "iso-8859-2"),
        (b"<\0?\0x\0m\0l\0", "", "utf-16le"),
        # 4. a guess
        ("<p>é".encode(), "text/html", "utf-8"),
        ("<p>é".encode("latin-1"), "text/html", "windows-1252"),
        (b"<p>", "", "windows-1252"),
        (b"", "", "windows-1252"),
        ("Съешь ещё этих мягких французских булок".encode("koi8-r"), "", "koi8-r"),
        ("これは日本語の文章です。漢字とかなが混ざっています。".encode("euc-jp"), "", "euc-jp"),
    ],
)
def test_decides_in_the_standards_order(body: bytes, content_type: str, expected: str) -> None:
    assert decide_charset(body, content_type) == expected


@pytest.mark.parametrize(
    ("charset", "body", "expected"),
    [
        ("windows-1252", b"\x80\x81\x8d\x9d\xe9", "€\x81\x8d\x9dé"),
        ("windows-1253", b"\xaa\x81", "\ufffd\x81"),
        ("gbk", b"\x81\x30\x81\x30\xa2\xe3", "\x80€"),
        ("shift_jis", b"\x87\x40" + SJIS, "①日本語"),
        ("euc-kr", b"\x8c\x63", "똠"),
        ("big5", b"\xa4\xa4", "中"),
        ("utf-16le", b"\xff\xfea\0\x00", "a\ufffd"),
        ("iso-8859-8-i", b"\xe0", "א"),
        ("x-user-defined", b"a\x80", "a\uf780"),
    ],
)
def test_decodes_as_the_encoding_standard_says(charset: str, body: bytes, expected: str) -> None:
    assert decode_as(body, charset) == expected


@pytest.mark.parametrize("charset", ["gbk", "shift_jis", "euc-kr", "big5", "euc-jp"])
def test_a_cut_character_does_not_swallow_the_tag_behind_it(charset: str) -> None:
    assert "<p>" in decode_as(b"\x81<p>", charset)


def test_encodings_that_hide_markup_show_nothing() -> None:
    assert set(decode_as(b"<script>", "replacement")) == {"\ufffd"}
    assert decide_charset(b"", "text/html; charset=hz-gb-2312") == "replacement"


def test_utf8_goes_to_the_parser_uncopied() -> None:
    body = "<meta charset=utf-8><p>é".encode()
    assert decode(body, "") is body


def test_ascii_in_any_ascii_based_encoding_goes_to_the_parser_uncopied() -> None:
    body = b"<p>plain"
    assert decode(body, "text/html; charset=windows-1251") is body


def test_the_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbfa", "") == b"a"
    assert decode(b"\xfe\xff\0a", "") == "a"


def test_bytes_that_are_not_utf8_though_declared_become_replacement_characters() -> None:
    html = decode(b"<p title='a\xff'>b\xe2<b>c", "text/html; charset=utf-8")
    paragraph = LexborHTMLParser(html).css("p")[0]
    assert (paragraph.attributes["title"], paragraph.text()) == ("a\ufffd", "b\ufffdc")


def test_an_unknown_name_is_a_programmers_mistake() -> None:
    with pytest.raises(ValueError, match="'rot13' is no encoding"):
        decode_as(b"", "rot13")


def test_the_guess_reads_a_sample_that_begins_where_ascii_ends() -> None:
    text = "Съешь ещё этих мягких французских булок, да выпей чаю. " * 20
    assert guess_encoding(b" " * (2 * SAMPLE_BYTES) + text.encode("cp1251")) == "windows-1251"


def test_the_guess_prefers_western_europe_where_letters_are_latin() -> None:
    text = "Il a déjà été prévenu : la forêt brûle, où sont les élèves ? " * 20
    assert guess_encoding(text.encode("cp1252")) == "windows-1252"


PIECES = st.binary() | st.sampled_from(
    [b"<meta charset=", b"gbk", b"'utf-16'", b">", b"\xef\xbb\xbf", b"\xff\xfe", b"<!--"]
)


@given(st.lists(PIECES).map(b"".join), st.text() | st.text().map("text/html; charset={}".format))
def test_any_page_has_an_encoding_by_which_it_can_be_read(body: bytes, content_type: str) -> None:
    text = decode_as(body, decide_charset(body, content_type))
    assert not any("\ud800" <= letter <= "\udfff" for letter in text)
    assert isinstance(decode(body, content_type), str | bytes)
