"""Parsing in threads of the loop's process: no page is copied, and one lock is shared by all who run Python."""

from types import TracebackType
from typing import Self

from scraper.models.crew import Crew, Hand
from scraper.models.inline import handler_of, overdue
from scraper.models.wall import Wall
from scraper.parse.wire import Setup
from scraper.parts import OnParsed
from scraper.records import Page, Parsed

_Numbered = tuple[int, Page]


class ThreadedParser:
    """`parts.Parser` over a crew of threads."""

    def __init__(self, setup: Setup, threads: int, on_parsed: OnParsed, wall: Wall | None = None) -> None:
        """Nothing is started before the block is entered. `wall`: where the process has a guardian."""
        self._setup = setup
        self._threads = threads
        self._wall = wall
        self._on_parsed = on_parsed
        self._crew: Crew[_Numbered, Parsed] = Crew(
            "parse", threads, self._parse, self._report, lambda _: overdue(setup.timeout_s), setup.timeout_s
        )

    @property
    def stats(self) -> Crew[_Numbered, Parsed]:
        """Its crew knows how long it was busy."""
        return self._crew

    async def __aenter__(self) -> Self:
        """Compile the rules, start the threads. Raises ParsePoolError where the plan cannot be carried out."""
        self._handle = handler_of(self._setup, self._wall, self._threads)
        self._crew.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the threads go."""
        self._crew.end()

    def submit(self, number: int, page: Page) -> None:
        """Queue a page for the next thread that is free."""
        self._crew.put((number, page))

    def _parse(self, hand: Hand[_Numbered], item: _Numbered) -> Parsed:
        hand.parse_begins()
        return self._handle(item[1])

    def _report(self, results: list[tuple[_Numbered, Parsed]]) -> None:
        self._on_parsed([(number, parsed) for (number, _), parsed in results])
