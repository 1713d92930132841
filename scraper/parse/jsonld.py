"""Reading JSON-LD as real pages write it. Pure.

Text that is JSON is read as such. What is not is forgiven comments of JavaScript and HTML, CDATA marks, control
characters in strings, trailing commas and a semicolon at the end; each step is linear in the length of the text.
"""

import json
import re
from typing import Any

import msgspec

# Unclosed strings and comments reach to the end, so that no place of a broken text is looked at twice.
_STRING = r'("(?:[^"\\]|\\.)*"?)'
_SCRIPT_NOISE = re.compile(_STRING + r"|/\*(?:.*?\*/|.*\Z)|//[^\n]*|<!\[CDATA\[|\]\]>", re.DOTALL)
_HTML_COMMENTS = re.compile(_STRING + r"|<!--(?:.*?-->|.*\Z)", re.DOTALL)
_HTML_COMMENT_MARKS = re.compile(_STRING + r"|<!--|-->", re.DOTALL)
_TRAILING_COMMA = re.compile(_STRING + r"|,(?=\s*[}\]])", re.DOTALL)


def read_json_ld(text: str) -> Any:
    """The value of one script; None where it cannot be read.

    >>> read_json_ld('/* ours */ {"@type": "Thing", "name": "a // b",}; ')
    {'@type': 'Thing', 'name': 'a // b'}
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return _read_forgiving(text)


def _read_forgiving(text: str) -> Any:
    try:
        value = json.loads(_clean(text), strict=False)
        msgspec.json.encode(value)  # lone surrogates can be read but not written
    except (ValueError, RecursionError):
        return None
    return value


def _clean(text: str) -> str:
    uncommented = _without(_HTML_COMMENTS, text)
    if not uncommented.strip():  # the comment is a wrapper around all, from the days of Netscape
        uncommented = _without(_HTML_COMMENT_MARKS, text)
    cleaned = _without(_TRAILING_COMMA, _without(_SCRIPT_NOISE, uncommented))
    return cleaned.strip().rstrip(";")


def _without(noise: re.Pattern[str], text: str) -> str:
    """The text less what the pattern finds; strings, its group 1, stay."""
    return noise.sub(lambda found: found[1] or "", text)
