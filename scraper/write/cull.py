"""Which lines of a file no longer count: those of URLs whose outcome was replaced by a later one. Pure.

A file of rows keeps a URL's last row, if a row is its outcome; a file of failures its last failure, if it failed.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from scraper.errors import WriteError


class _Line(msgspec.Struct):
    url: str


_line = msgspec.json.Decoder(_Line).decode


class Cull:
    """The decision for each line of one store."""

    def __init__(
        self, stale: Mapping[int, str], key_of: Callable[[str], int | None], belongs: Callable[[str], bool]
    ) -> None:
        """`stale`: key -> last outcome, of the URLs that had another before. `key_of`: the key of a URL as written.

        `belongs`: whether the line of an outcome stands in this file.
        """
        self._stale = stale
        self._key_of = key_of
        self._belongs = belongs
        self._later = set[int]()
        """Keys whose last line stands in a file that was decided on before."""

    def decide(self, urls: Iterable[str | None]) -> bytearray:
        """1 for each line that stays, else 0; one byte a line. A line without a URL stays.

        Of a store with several files the newest come first.

        >>> cull = Cull({1: "ok", 2: "dns"}, lambda url: int(url), lambda outcome: outcome == "ok")
        >>> list(cull.decide([None, "1", "2", "3", "1"]))
        [1, 0, 0, 1, 1]
        """
        decisions, last = bytearray(), dict[int, int]()
        for url in urls:
            key = None if url is None else self._key_of(url)
            outcome = None if key is None else self._stale.get(key)
            decisions.append(outcome is None or self._belongs(outcome))
            if key is not None and outcome is not None:
                if key in last:
                    decisions[last[key]] = 0
                last[key] = len(decisions) - 1
        for key in last.keys() & self._later:
            decisions[last[key]] = 0
        self._later |= last.keys()
        return decisions


def records(form: str, lines: Iterable[bytes]) -> Iterator[tuple[str | None, bytes]]:
    """The records of a file with their URLs, as `write.encode` makes them; `form`: "jsonl" or "csv".

    The first of a CSV file is its head and has none. Raises WriteError for one that cannot be read.
    """
    read = _csv_records(lines) if form == "csv" else ((None, line) for line in lines)
    for number, (cells, record) in enumerate(read):
        try:
            url = None if form == "csv" and not number else cells[0] if cells else _line(record).url
        except msgspec.MsgspecError as exc:
            raise WriteError(f"line {number + 1} of the rows cannot be read ({exc}): was it changed by hand?") from exc
        yield url, record


def _csv_records(lines: Iterable[bytes]) -> Iterator[tuple[list[str] | None, bytes]]:
    """A record ends where its quotes are closed (RFC 4180 section 2.6)."""
    record = b""
    for line in lines:
        record += line
        if record.count(b'"') % 2 == 0:
            yield next(csv.reader([record.decode("utf-8", "replace")]), []), record
            record = b""
    if record:
        yield [], record
