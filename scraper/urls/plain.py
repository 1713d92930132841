"""Records of the lists with one record a line: plain text and JSON lines. Pure."""

from typing import Any

import msgspec

from scraper.records import SourceLine
from scraper.urls.lines import Block


class TxtReader:
    """One URL a line; blank lines and lines that begin with `#` are no records."""

    columns: tuple[str, ...] = ()

    def feed(self, block: Block) -> list[SourceLine]:
        """Return the records of the next lines."""
        if block.faults:
            return self._feed_slowly(block)
        return [
            SourceLine(text, number)
            for number, line in enumerate(block.lines, block.first)
            if (text := line.strip()) and text[0] != "#"
        ]

    def finish(self) -> list[SourceLine]:
        """Return nothing: no record is held back."""
        return []

    def _feed_slowly(self, block: Block) -> list[SourceLine]:
        records = []
        for number, line in enumerate(block.lines, block.first):
            text, fault = line.strip(), block.faults.get(number)
            if fault is not None or (text and text[0] != "#"):
                records.append(SourceLine(text, number, error=fault))
        return records


class JsonlReader:
    """One JSON object a line, the URL under one key; blank lines are no records."""

    def __init__(self, url_column: str | None = None) -> None:
        """`url_column`: the key, None = "url"."""
        self._key = url_column or "url"
        self._decode = msgspec.json.Decoder().decode
        self.columns: tuple[str, ...] = ()
        """The other keys of the first good record, in order; empty until it has come."""

    def feed(self, block: Block) -> list[SourceLine]:
        """Return the records of the next lines."""
        records = [
            self._record(text, number, block.faults.get(number))
            for number, line in enumerate(block.lines, block.first)
            if (text := line.strip()) or number in block.faults
        ]
        if not self.columns:
            self.columns = next((tuple(record.extra) for record in records if record.extra), ())
        return records

    def finish(self) -> list[SourceLine]:
        """Return nothing: no record is held back."""
        return []

    def _record(self, text: str, number: int, fault: str | None) -> SourceLine:
        if fault is not None:
            return SourceLine(text, number, error=fault)
        try:
            found = self._decode(text)
        except (msgspec.DecodeError, RecursionError) as exc:
            return SourceLine(text, number, error=f"not JSON: {_reason(exc)}")
        if not isinstance(found, dict):
            return SourceLine(text, number, error=f"not a JSON object but {_kind(found)}")
        if self._key not in found:
            keys = ", ".join(list(found)[:20]) or "none"
            return SourceLine(text, number, error=f"no key {self._key!r}; its keys: {keys}")
        url = found.pop(self._key)
        if not isinstance(url, str):
            return SourceLine(text, number, error=f"{self._key!r} is not a text but {_kind(url)}")
        return SourceLine(url.strip(), number, found or None, None if url.strip() else f"{self._key!r} is empty")


_KINDS = {dict: "an object", list: "a list", bool: "true or false", type(None): "null", str: "a text"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a number")


def _reason(exc: Exception) -> str:
    return "nested too deep" if isinstance(exc, RecursionError) else str(exc).removeprefix("JSON is malformed: ")
