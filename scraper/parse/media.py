"""Is an answer a web page at all? Judged by its Content-Type and, where that says little, its first bytes. Pure."""

import re

_HTML_TYPES = frozenset(["text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"])
_UNSURE_TYPES = frozenset(["", "text/plain", "application/xml", "text/xml", "application/octet-stream", "*/*"])
_SNIFF_BYTES = 1024
_UTF16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_TAGS = (
    "!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|link|base|section|article|"
    "main|header|nav|ul|ol|h2|h3|span|noscript"
)
_HTML_START = re.compile(rf"(?:<\?xml[^>]*>|<!--.*?-->|<!--(?!.*-->)|\s)*<(?:{_TAGS})(?=[\s/>])".encode(), re.S | re.I)
_XML_START = re.compile(rb"\s*<\?xml", re.I)
_HTML_ROOT = re.compile(rb"<html[\s>]|<!doctype html|http://www\.w3\.org/1999/xhtml", re.I)
_MAGIC = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"GIF87a", "GIF image"),
    (b"GIF89a", "GIF image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b\x08", "gzip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"OggS\0", "Ogg audio or video"),
    (b"ID3", "MP3 audio"),
    (b"wOF2", "font"),
    (b"wOFF", "font"),
    (b"\x7fELF", "program"),
    (b"MZ\x90", "program"),
)
"""WHATWG MIME Sniffing section 6 and a few more that servers often send as text/html."""


def why_not_html(body: bytes, content_type: str) -> str | None:
    """Why the answer is no web page, in words; None where it is one.

    An empty body of an HTML type is a page with nothing in it, as browsers have it.

    >>> why_not_html(b"%PDF-1.7", "text/html; charset=utf-8"), why_not_html(b"<p>a", "text/plain")
    ('PDF, though the answer says text/html', None)
    """
    media_type = content_type.partition(";")[0].strip().lower()
    kind = _magic(body)
    if kind:
        return f"{kind}, though the answer says {media_type}" if media_type in _HTML_TYPES else kind
    if media_type in _HTML_TYPES:
        return None
    if media_type in _UNSURE_TYPES or "/" not in media_type:
        return None if _starts_like_html(body) else _unsure(media_type)
    return f"the answer is {_shown(media_type)}"


def looks_like_html(body: bytes, content_type: str) -> bool:
    """Whether the answer is a web page; see `why_not_html`."""
    return why_not_html(body, content_type) is None


def _unsure(media_type: str) -> str:
    return f"the answer is {_shown(media_type) or 'of no stated type'} and does not begin like HTML"


def _shown(media_type: str) -> str:
    """A type as it may be shown: it is the server's text, so no terminal codes, and not endless."""
    return "".join(char if char.isprintable() else "\ufffd" for char in media_type[:100])


def _magic(body: bytes) -> str | None:
    if body.startswith(b"RIFF"):
        return {b"WEBP": "WebP image", b"WAVE": "WAV audio", b"AVI ": "AVI video"}.get(body[8:12])
    if body[4:8] == b"ftyp":
        return "MP4 video or audio"
    return next((name for magic, name in _MAGIC if body.startswith(magic)), None)


def _starts_like_html(body: bytes) -> bool:
    head = _ascii_head(body)
    if _XML_START.match(head):
        return _HTML_ROOT.search(head) is not None
    return not head.strip() or _HTML_START.match(head) is not None


def _ascii_head(body: bytes) -> bytes:
    """The first bytes without a byte order mark, UTF-16 made readable."""
    head = body[:_SNIFF_BYTES]
    for mark, codec in _UTF16:
        if head.startswith(mark):
            return head[2:].decode(codec, "replace").encode()
    return head.removeprefix(b"\xef\xbb\xbf")
