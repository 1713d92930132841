"""The parser of models whose fetchers parse: there is nothing left to do."""

from types import TracebackType
from typing import Self

from scraper.parts import ParserStats
from scraper.records import Page


class NoParser:
    """`parts.Parser` that is never given a page, and tells how busy the fetcher was with parsing."""

    def __init__(self, stats: ParserStats) -> None:
        """`stats`: the fetcher's."""
        self.stats = stats

    async def __aenter__(self) -> Self:
        """Nothing is started."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is ended."""

    def submit(self, number: int, page: Page) -> None:
        """Pages come parsed: RuntimeError."""
        raise RuntimeError("a page came unparsed from a fetcher that parses")
