"""A crew of threads that take items and give results back to the loop. One that is stuck is given up and replaced."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WATCH_EVERY_S = 0.25


class Hand(Generic[Item]):
    """One thread of a crew as the crew sees it, and the item it has in hand."""

    __slots__ = ("busy_s", "is_given_up", "item", "parsing_since")

    def __init__(self) -> None:
        """It has nothing in hand."""
        self.item: Item | None = None
        self.is_given_up = False
        self.parsing_since: float | None = None
        """When it began to parse, by the monotonic clock; None while it does not."""
        self.busy_s = 0.0
        """Seconds spent parsing."""

    def parse_begins(self) -> None:
        """From now on it may take no longer than a page's time."""
        self.parsing_since = time.monotonic()

    def parse_ends(self) -> None:
        """The page is parsed, if it came to that."""
        since, self.parsing_since = self.parsing_since, None
        if since is not None:
            self.busy_s += time.monotonic() - since


class Crew(Generic[Item, Result]):
    """Threads that work on items, in the order of their coming. Use `start` and `end` on one loop.

    `work` runs on the threads and may raise nothing. `on_results` is called on the loop with (item, result) of all that
    is done by then: one wake-up for many where they are quick. A thread that parses one item for longer than
    `timeout_s` is given up: `on_stuck` gives the item's result, another thread takes its place, and what it still
    brings is dropped. Threads cannot be ended from outside; these do not keep the program alive.
    """

    def __init__(
        self,
        name: str,
        count: int,
        work: Callable[[Hand[Item], Item], Result],
        on_results: Callable[[list[tuple[Item, Result]]], None],
        on_stuck: Callable[[Item], Result],
        timeout_s: float,
    ) -> None:
        """Nothing is started before `start`."""
        self._name = name
        self._count = count
        self._work = work
        self._on_results = on_results
        self._on_stuck = on_stuck
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._items: SimpleQueue[Item | None] = SimpleQueue()
        self._done: deque[tuple[Hand[Item], Item, Result]] = deque()
        self._is_told = False
        self._hands: set[Hand[Item]] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._busy_before_s = 0.0

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._count):
            self._add_hand()
        self._look_after()

    def end(self) -> None:
        """Let the idle threads go; a busy one goes when it is done, and its result is dropped."""
        if self._watch is not None:
            self._watch.cancel()
        for hand in self._hands:
            hand.is_given_up = True
        for _ in self._hands:
            self._items.put(None)

    def put(self, item: Item) -> None:
        """Take an item; returns at once."""
        self._items.put(item)

    @property
    def busy_s(self) -> float:
        """Seconds that the threads have spent parsing."""
        return self._busy_before_s + sum(hand.busy_s for hand in self._hands)

    def _add_hand(self) -> None:
        hand: Hand[Item] = Hand()
        self._hands.add(hand)
        threading.Thread(target=self._live, args=(hand,), name=self._name, daemon=True).start()

    def _live(self, hand: Hand[Item]) -> None:
        while not hand.is_given_up and (item := self._items.get()) is not None:
            hand.item = item
            result = self._work(hand, item)
            hand.parse_ends()
            self._done.append((hand, item, result))
            if not self._is_told:
                self._is_told = True
                with suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._is_told = False
        results = []
        while self._done:
            hand, item, result = self._done.popleft()
            if not hand.is_given_up:
                results.append((item, result))
        if results:
            self._on_results(results)

    def _look_after(self) -> None:
        overdue_at = time.monotonic() - self._timeout_s
        for hand in [hand for hand in self._hands if (hand.parsing_since or overdue_at) < overdue_at]:
            self._replace(hand)
        self._watch = self._loop.call_later(min(WATCH_EVERY_S, self._timeout_s / 4), self._look_after)

    def _replace(self, hand: Hand[Item]) -> None:
        item = hand.item
        hand.is_given_up = True
        self._hands.remove(hand)
        self._busy_before_s += hand.busy_s
        self._add_hand()
        if item is not None:
            self._on_results([(item, self._on_stuck(item))])
