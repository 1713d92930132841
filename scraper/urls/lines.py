"""Bytes of a list, cut anywhere, turned into numbered lines of text. Pure; what a line means is decided elsewhere.

What is given is the same however the bytes are cut. Memory is bounded by the longest line allowed and one piece.
"""

from collections.abc import Mapping
from typing import NamedTuple

MAX_LINE_BYTES = 1 << 20
"""Far above any URL (64 KiB), and room for records with long other columns."""

_SHOWN_BYTES = 1000


class Block(NamedTuple):
    """Lines that follow one another."""

    first: int
    """1-based number of the first line."""
    lines: list[str]
    """Their text, without line ends; of a line with a fault, what can be shown of it."""
    faults: Mapping[int, str]
    """Line number -> why the line cannot be used. Mostly empty."""
    overlong: frozenset[int] = frozenset()
    """Numbers of the lines that were cut because of their length; each has a fault too."""


class LineSplitter:
    """Cuts UTF-8 into lines ended by LF, CRLF or CR. A byte order mark at the start of a line is left out."""

    def __init__(self, max_line: int = MAX_LINE_BYTES) -> None:
        """`max_line`: bytes; a longer line becomes a fault."""
        self._max_line = max_line
        self._too_long = f"longer than {max_line:,} bytes"
        self._rest = b""
        self._next = 1
        self._is_skipping = False

    def feed(self, data: bytes) -> Block:
        """Take the next bytes; gives the lines that they complete."""
        data = self._rest + data
        # A CR at the very end may be half of a CRLF: it waits for the next bytes.
        held = b"\r" if data.endswith(b"\r") else b""
        if b"\r" in data:
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._is_skipping:
            _, end, data = data.partition(b"\n")
            self._is_skipping = not end
        body, end, tail = data.rpartition(b"\n")
        block = self._block(body) if end else Block(self._next, [], {})
        self._rest = tail + held
        return block if len(tail) <= self._max_line else self._begin_skipping(block, tail)

    def finish(self, damage: str | None = None) -> Block:
        """Give the last line, if it has no line end.

        `damage` says that the bytes end too early: the last line is then given with this fault, even where it is empty.
        """
        rest = self._rest.removesuffix(b"\r")
        self._rest = b""
        if damage is None:
            return self._block(rest) if rest else Block(self._next, [], {})
        return Block(self._next, [self._shown(rest)], {self._next: damage})

    def _block(self, body: bytes) -> Block:
        lines, faults = _decoded(body, self._next)
        block = Block(self._next, lines, faults)
        self._next += len(lines)
        return self._without_overlong(block, body) if len(body) > self._max_line else block

    def _without_overlong(self, block: Block, body: bytes) -> Block:
        overlong = {}
        for number, line in enumerate(body.split(b"\n"), block.first):
            if len(line) > self._max_line:
                overlong[number] = self._too_long
                block.lines[number - block.first] = self._shown(line)
        return block._replace(faults={**block.faults, **overlong}, overlong=frozenset(overlong))

    def _begin_skipping(self, block: Block, tail: bytes) -> Block:
        number = self._next
        self._next += 1
        self._is_skipping = True
        self._rest = self._rest[len(tail) :]
        return Block(
            block.first,
            [*block.lines, self._shown(tail)],
            {**block.faults, number: self._too_long},
            block.overlong | {number},
        )

    def _shown(self, line: bytes) -> str:
        return line[: min(_SHOWN_BYTES, self._max_line)].decode(errors="replace").removeprefix("\ufeff")


def _decoded(body: bytes, first: int) -> tuple[list[str], dict[int, str]]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _decoded_one_by_one(body.split(b"\n"), first)
    if "\ufeff" in text:  # lists joined by `cat` have such marks in their midst
        text = f"\n{text}".replace("\n\ufeff", "\n")[1:]
    return text.split("\n"), {}


def _decoded_one_by_one(raw_lines: list[bytes], first: int) -> tuple[list[str], dict[int, str]]:
    lines, faults = [], {}
    for number, raw in enumerate(raw_lines, first):
        lines.append(raw.decode(errors="replace").removeprefix("\ufeff"))
        try:
            raw.decode()
        except UnicodeDecodeError as exc:
            faults[number] = f"not UTF-8: byte 0x{raw[exc.start]:02x} at position {exc.start + 1} of the line"
    return lines, faults
