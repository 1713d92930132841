"""A page's encoding: any bytes under any Content-Type have one of the Encoding standard's, and become text in it."""

import webencodings

from fuzz.shaping import bounded, grown
from scraper.parse.charset import decide_charset, decode, decode_as
from scraper.parse.prescan import declared_encoding

SEEDS = (
    b"\0text/html; charset=utf-8\n<meta charset=gbk>",
    b"\0text/html\n<!-- <meta> --><meta http-equiv=content-type content='a; charset=\"x\"; charset=gbk'><p a=b c",
    b"\0\n<?xml version='1.0' encoding='ISO-8859-2'?><html>",
    b"\0charset='shift_jis'\n\x87\x40\x81\x30",
    b"\0charset=hz-gb-2312\nx",
    b"\xff\n<meta a='",
    b"\xff\n<?xml x",
    b"\0charset=utf-16\n\xd8\x00a",
    b"\0charset=iso-2022-jp\n\x1b$B\x21\x21\x1b(B",
    b"\0\n\xef\xbb\xbf\xc3",
)


def check(data: bytes) -> None:
    """`data`: see `grown`; the Content-Type up to the first line end, then the body."""
    header, _, body = grown(data).partition(b"\n")
    content_type = header.decode("latin-1")
    with bounded():
        charset = decide_charset(body, content_type)
        text = decode(body, content_type)
        declared = declared_encoding(body)
    assert _is_known(charset), charset
    assert declared is None or _is_known(declared), declared
    assert declared not in ("utf-16le", "utf-16be") or b"\0" in body, "a declaration that was read is not UTF-16"
    assert len(text) <= len(body), "an encoding that makes text grow"
    text_of_it = decode_as(body, charset)
    assert isinstance(text, bytes) or text == text_of_it
    assert not any("\ud800" <= char <= "\udfff" for char in text_of_it), "half a character"


def _is_known(name: str) -> bool:
    encoding = webencodings.lookup(name)
    return encoding is not None and encoding.name == name
