"""A wall around pages where fetching and parsing share one process: it can be done once the process has died of one.

Such a process has a guardian, its parent (`cli/guardian.py`), and memory that both see: the board, which tells what is
in parse. When the process dies, or does not come back from a page, another takes its place and resumes; what was in
parse at that moment is suspect, and goes to a worker process of its own now, as in a hybrid: there the guilty page
fails alone, by its right name. The others pay a second fetch, and nobody pays for the wall until a page has hurt.
"""

import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from scraper.models.limits import PageMemory
from scraper.parts import OnParsed, Parser
from scraper.records import Page, Parsed

SLOTS = 64
"""Pages that the board has room for. More in parse at once are not told, and not suspected."""
_SLOT = struct.Struct("<ddH")
"""Since when a page was in parse, until when (0 = it is), the length of its URL, which follows."""
_ENDED = struct.Struct("<d")
_SIZE = 1024
LINGERS_S = 0.1
"""A page parsed so shortly before the end is suspect too: a signal, or a damaged heap, may kill a little later."""
_COUNT = struct.Struct("<q")
_LEFT = struct.Struct("<?")
_NOBODY = -1

Handle = Callable[[Page], Parsed]


class Board:
    """What a process has in parse, in memory that it shares with the one that forked it."""

    def __init__(self) -> None:
        """Make it before the fork. Nothing is in parse."""
        self._memory = mmap.mmap(-1, (SLOTS + 1) * _SIZE)
        self._free = list(range(SLOTS))
        _COUNT.pack_into(self._memory, SLOTS * _SIZE, _NOBODY)

    def begins(self, page: Page) -> int | None:
        """Tell that a page is in parse; gives what `ends` takes. May be called on any thread."""
        try:
            slot = self._free.pop()  # the one that was freed last: what the others tell stays
        except IndexError:
            return None
        url = cut(page.url)
        start = slot * _SIZE
        self._memory[start + _SLOT.size : start + _SLOT.size + len(url)] = url
        _SLOT.pack_into(self._memory, start, time.monotonic(), 0.0, len(url))
        return slot

    def ends(self, slot: int | None) -> None:
        """Tell that it is parsed."""
        if slot is not None:
            _ENDED.pack_into(self._memory, slot * _SIZE + _ENDED.size, time.monotonic())
            self._free.append(slot)

    def in_parse(self) -> dict[tuple[int, float], bytes]:
        """The URLs in parse, cut, by where and since when."""
        return {(slot, since): url for slot, since, until, url in self._told() if not until}

    def blamed(self, now: float) -> list[bytes]:
        """The URLs that were in parse when the process ended at `now`, by the monotonic clock, or shortly before."""
        return [url for _, _, until, url in self._told() if not until or until > now - LINGERS_S]

    def _told(self) -> Iterator[tuple[int, float, float, bytes]]:
        for slot in range(SLOTS):
            since, until, length = _SLOT.unpack_from(self._memory, slot * _SIZE)
            if since:
                start = slot * _SIZE + _SLOT.size
                yield slot, since, until, self._memory[start : start + length]

    def clear(self) -> None:
        """Nothing is in parse: the process is gone."""
        self._memory[: SLOTS * _SIZE] = bytes(SLOTS * _SIZE)
        self._free = list(range(SLOTS))

    def leaves(self) -> None:
        """Tell that the run is through, and the process about to end by itself, whatever threads of it still parse."""
        _LEFT.pack_into(self._memory, SLOTS * _SIZE + _COUNT.size, True)

    def was_left(self) -> bool:
        """Whether the process said so: one that ends without a word, with a page in parse, was ended by that page."""
        (left,) = _LEFT.unpack_from(self._memory, SLOTS * _SIZE + _COUNT.size)
        return bool(left)

    def was_begun(self) -> bool:
        """Whether a process has begun with the run: opened its folder."""
        return _COUNT.unpack_from(self._memory, SLOTS * _SIZE) != (_NOBODY,)

    def done_before(self, done: int) -> int:
        """How many URLs were done before the first of the processes began; `done`: now, as this one begins."""
        (before,) = _COUNT.unpack_from(self._memory, SLOTS * _SIZE)
        if before == _NOBODY:
            _COUNT.pack_into(self._memory, SLOTS * _SIZE, done)
            return done
        return int(before)


def cut(url: str) -> bytes:
    """A URL as the board has room for it."""
    return url.encode("utf-8", "replace")[: _SIZE - _SLOT.size]


@dataclass(frozen=True, slots=True)
class Wall:
    """What a process that has a guardian knows."""

    board: Board
    suspects: frozenset[bytes] = frozenset()
    """What was in parse when a process before this one died."""
    suspects_all: bool = False
    """Too many pages have hurt: none is parsed in this process any more."""
    guardian: int = field(default_factory=os.getppid)
    """The process that the user knows."""

    def holds(self, page: Page) -> bool:
        """Whether a page is to be parsed behind the wall."""
        return self.suspects_all or (bool(self.suspects) and cut(page.url) in self.suspects)

    @property
    def is_needed(self) -> bool:
        """Whether any page is."""
        return self.suspects_all or bool(self.suspects)

    def told(self, handle: Handle, memory: PageMemory) -> Handle:
        """The same, which tells the board; a page may take as much memory as `memory` says."""
        board = self.board

        def parse(page: Page) -> Parsed:
            slot = board.begins(page)
            memory.begin()
            try:
                return handle(page)
            finally:
                memory.end()
                board.ends(slot)

        return parse


class WalledParser:
    """`parts.Parser` that parses suspects in one way and all others in another."""

    def __init__(self, wall: Wall, others: Parser, behind: Parser) -> None:
        """Nothing is started before the block is entered. `behind`: the one for suspects."""
        self._wall = wall
        self._others = others
        self._behind = behind
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start both. Raises ParsePoolError where one cannot start."""
        await self._exits.enter_async_context(self._others)
        await self._exits.enter_async_context(self._behind)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End both."""
        return await self._exits.__aexit__(kind, exc, trace)

    @property
    def stats(self) -> Self:
        """It tells itself."""
        return self

    @property
    def busy_s(self) -> float:
        """Seconds spent on pages."""
        return self._others.stats.busy_s + self._behind.stats.busy_s

    def submit(self, number: int, page: Page) -> None:
        """Give a page to whom it belongs."""
        (self._behind if self._wall.holds(page) else self._others).submit(number, page)


def walled(
    wall: Wall | None, others: Callable[[OnParsed], Parser], behind: Callable[[OnParsed], Parser]
) -> Callable[[OnParsed], Parser]:
    """What makes the parser of a run: one with a wall where there is a suspect."""
    if wall is None or not wall.is_needed:
        return others
    return lambda on_parsed: WalledParser(wall, others(on_parsed), behind(on_parsed))
