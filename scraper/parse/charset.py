"""Which character encoding a page is in, and its text. Pure.

The order is that of the HTML standard ("determining the character encoding"): byte order mark, HTTP header, `meta`, a
guess. Labels are those of the Encoding standard (through webencodings), never Python's codec table, which knows names
such as `utf-7` or `idna` that a page must not be able to choose.
"""

import codecs
import re

import webencodings

from scraper.parse.guess import FALLBACK, guess_encoding
from scraper.parse.prescan import declared_encoding

PRESCAN_BYTES = 1024
LATE_META_BYTES = 64 * 1024
"""A `meta` that stands later than the standard's 1024 bytes still counts, as it does in a browser, which starts over
when its parser meets one; looking further than this costs more than such pages are worth."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"))
_HEADER_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,]+)""", re.IGNORECASE)
_NOT_ASCII_BASED = frozenset(["utf-16le", "utf-16be", "iso-2022-jp", "replacement"])
_MULTIBYTE = _NOT_ASCII_BASED | {"gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr", "utf-8"}
_WIDER = {"gbk": "gb18030"}
"""The Encoding standard decodes gbk with gb18030's decoder (section 10.1.1)."""


def decide_charset(body: bytes, content_type: str) -> str:
    """The Encoding standard's name of the body's encoding, lower case.

    `content_type` is the header as sent, "" where there was none.

    >>> decide_charset(b"<meta charset=latin1>", "text/html"), decide_charset(b"", "text/html; charset=sjis")
    ('windows-1252', 'shift_jis')
    """
    return _from_bom(body) or _from_header(content_type) or _from_meta(body) or _guess(body)


def decode(body: bytes, content_type: str) -> str | bytes:
    """The page as an HTML parser takes it best: UTF-8 (and ASCII) as bytes, uncopied; all else as text.

    Bytes that mean nothing in the encoding become U+FFFD: in the text here, in UTF-8 when the parser's output is read.
    """
    charset = decide_charset(body, content_type)
    if charset == "utf-8":
        return body.removeprefix(codecs.BOM_UTF8)
    if charset not in _NOT_ASCII_BASED and body.isascii():
        return body
    return decode_as(body, charset)


def decode_as(body: bytes, charset: str) -> str:
    """The text of `body` in one of the Encoding standard's encodings, by its decoders; a byte order mark is dropped."""
    encoding = webencodings.lookup(_WIDER.get(charset, charset))
    if encoding is None:
        raise ValueError(f"{charset!r} is no encoding of the Encoding standard")
    errors = "replace" if charset in _MULTIBYTE else "whatwg-single-byte"
    text: str = encoding.codec_info.decode(body, errors)[0]
    return text.removeprefix("\ufeff")


def _from_bom(body: bytes) -> str | None:
    return next((name for bom, name in _BOMS if body.startswith(bom)), None)


def _from_header(content_type: str) -> str | None:
    """Lists such as `utf-8,gbk` count by their first name, as browsers and curl have it."""
    found = _HEADER_CHARSET.search(content_type)
    return _known(found[1]) if found else None


def _from_meta(body: bytes) -> str | None:
    early = declared_encoding(body[:PRESCAN_BYTES])
    if early or len(body) <= PRESCAN_BYTES:
        return early
    head = body[:LATE_META_BYTES]
    return declared_encoding(head) if b"charset" in head.lower() else None


def _guess(body: bytes) -> str:
    if body.isascii():
        return FALLBACK
    return "utf-8" if is_utf8(body) else guess_encoding(body)


def is_utf8(body: bytes) -> bool:
    """Whether the body is valid UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _known(label: str) -> str | None:
    if not label.isascii():
        return None
    encoding = webencodings.lookup(label)
    return None if encoding is None else str(encoding.name)


def _control_or_replacement(error: UnicodeError) -> tuple[str, int]:
    """Python's tables lack what the standard maps to C1 controls (81, 8D, 8F, 90, 9D in windows-1252)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(byte) if 0x80 <= byte < 0xA0 else "\ufffd" for byte in bad), error.end


codecs.register_error("whatwg-single-byte", _control_or_replacement)
