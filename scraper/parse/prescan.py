"""The HTML standard's "prescan a byte stream to determine its encoding", and nothing else. Pure.

The scan is not a parser: it knows comments, `meta`, other tags and their attributes.
"""

import re
from collections.abc import Iterator

import webencodings

_SPACE = b"\t\n\x0c\r "
_META = re.compile(rb"<meta[\t\n\x0c\r /]")
_TAG = re.compile(rb"</?[a-z][^\t\n\x0c\r >]*")
_BOGUS = re.compile(rb"<[!/?]")
_NAME = re.compile(rb"[^\t\n\x0c\r />=]*")
_SPACES = re.compile(rb"[\t\n\x0c\r ]*")
_UNQUOTED = re.compile(rb"[^\t\n\x0c\r >]*")
_CONTENT_CHARSET = re.compile(rb"charset[\t\n\x0c\r ]*=[\t\n\x0c\r ]*")
_CONTENT_LABEL = re.compile(rb"""(?:"([^"]*)"|'([^']*)'|([^"'\t\n\x0c\r ;][^\t\n\x0c\r ;]*))""")
_XML_LABEL = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"'>]+)["'][^>]*>""")
_UTF16_XML = ((b"<\0?\0x\0", "utf-16le"), (b"\0<\0?\0x", "utf-16be"))

Attribute = tuple[bytes, bytes]


def declared_encoding(data: bytes) -> str | None:
    """The encoding that the first bytes of a page declare, by the Encoding standard's name; None where they do not.

    A tag that is cut off by the end of `data` declares nothing.

    >>> declared_encoding(b"<!-- <meta charset=gbk> --><meta charset='UTF-16'>")
    'utf-8'
    """
    for start, name in _UTF16_XML:
        if data.startswith(start):
            return name
    lower = data.lower()
    for attributes in _metas(lower):
        encoding = _meta_encoding(attributes)
        if encoding:
            return encoding
    return _xml_encoding(lower)


def _metas(data: bytes) -> Iterator[list[Attribute]]:
    """The attributes of each `meta` tag that is whole. What stands behind the last one is not looked at."""
    last = data.rfind(b"<meta")
    at = data.find(b"<")
    while 0 <= at <= last:
        if data.startswith(b"<!--", at):
            # The two dashes of the opening may belong to the end: <!--> is a whole comment.
            at = _after(data, b"-->", at + 2)
        elif _META.match(data, at):
            attributes, at = _attributes(data, at + 5)
            if at < 0:
                return
            yield attributes
        elif tag := _TAG.match(data, at):
            at = _attributes(data, tag.end())[1]
        elif _BOGUS.match(data, at):
            at = _after(data, b">", at)
        else:
            at += 1
        at = data.find(b"<", at) if at >= 0 else -1


def _after(data: bytes, mark: bytes, at: int) -> int:
    found = data.find(mark, at)
    return found + len(mark) if found >= 0 else -1


def _attributes(data: bytes, at: int) -> tuple[list[Attribute], int]:
    """A tag's attributes and where it ends; -1 where the data ends first."""
    attributes: list[Attribute] = []
    while 0 <= at < len(data):
        byte = data[at : at + 1]
        if byte == b">":
            return attributes, at + 1
        if byte in _SPACE or byte == b"/":
            at += 1
            continue
        attribute, at = _attribute(data, at)
        attributes.append(attribute)
    return attributes, -1


def _attribute(data: bytes, at: int) -> tuple[Attribute, int]:
    """One attribute and where it ends; -1 where the data ends first. A name may begin with "="."""
    name_end = _end(_NAME, data, at + 1)
    name = data[at:name_end]
    at = _end(_SPACES, data, name_end)
    if data[at : at + 1] != b"=":
        return (name, b""), at
    at = _end(_SPACES, data, at + 1)
    quote = data[at : at + 1]
    if quote in (b'"', b"'"):
        end = data.find(quote, at + 1)
        return (name, data[at + 1 : end]), end + 1 if end >= 0 else -1
    end = _end(_UNQUOTED, data, at)
    return (name, data[at:end]), end if end < len(data) else -1


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    """Where a pattern that may match nothing ends."""
    found = pattern.match(data, at)
    return found.end() if found else at


def _meta_encoding(attributes: list[Attribute]) -> str | None:
    """What one `meta` declares: `charset`, or `content` where `http-equiv` says that it is the content type."""
    first: dict[bytes, bytes] = {}
    for name, value in attributes:
        first.setdefault(name, value)
    if b"charset" in first:
        return _named(first[b"charset"])
    if first.get(b"http-equiv") == b"content-type" and b"content" in first:
        return _named(_content_label(first[b"content"]))
    return None


def _content_label(content: bytes) -> bytes:
    """The label in a `content` attribute; b"" where there is none (the standard's "extracting an encoding")."""
    for found in _CONTENT_CHARSET.finditer(content):
        label = _CONTENT_LABEL.match(content, found.end())
        return next(filter(None, label.groups()), b"") if label else b""
    return b""


def _named(label: bytes) -> str | None:
    if not label.isascii():
        return None
    encoding = webencodings.lookup(label.decode())
    if encoding is None:
        return None
    # A page whose declaration could be read is not UTF-16, and nobody means x-user-defined.
    return {"utf-16le": "utf-8", "utf-16be": "utf-8", "x-user-defined": "windows-1252"}.get(
        encoding.name, str(encoding.name)
    )


def _xml_encoding(data: bytes) -> str | None:
    """An XML declaration at the very start, as the standard reads it since 2021."""
    found = _XML_LABEL.match(data)
    return _named(found[1].strip()) if found else None
