"""One loop fetches, and parsing stays in its process: on the loop itself, or in threads beside it.

Lexbor parses with the GIL released and matches with it held, so threads gain something, and on an interpreter without
a GIL as much as processes. What both lack is a wall around a page: one that crashes the parser ends the run, memory is
not bounded for a page alone, and what hangs in native code cannot be ended.
"""

from scraper.engine import LocalEngine
from scraper.models.blueprint import Blueprint, engine_parts
from scraper.models.fetchers import keeper_of, loop_fetcher
from scraper.models.inline import InlineParser
from scraper.models.threaded import ThreadedParser
from scraper.parts import Outlet


def open_inline(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run that parses on its loop."""
    parts = engine_parts(
        blueprint,
        loop_fetcher(blueprint),
        lambda on_parsed: InlineParser(blueprint.setup, on_parsed),
        keeper=keeper_of(blueprint),
    )
    return LocalEngine(parts, outlet)


def open_threaded(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run that parses in threads."""
    parts = engine_parts(
        blueprint,
        loop_fetcher(blueprint),
        lambda on_parsed: ThreadedParser(blueprint.setup, blueprint.workers, on_parsed),
        keeper=keeper_of(blueprint),
    )
    return LocalEngine(parts, outlet)
