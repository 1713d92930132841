"""One loop fetches, and parsing stays in its process: on the loop itself, or in threads beside it.

Lexbor parses with the GIL released and matches with it held, so threads gain something, and on an interpreter without
a GIL as much as processes. What both lack is a wall around a page: one that crashes the parser, or hangs in it, takes
the process down. There a guardian helps, where the run has one (wall.py).
"""

from collections.abc import Callable

from scraper.engine import LocalEngine
from scraper.models.blueprint import Blueprint, engine_parts
from scraper.models.fetchers import keeper_of, loop_fetcher
from scraper.models.hybrid import behind_wall
from scraper.models.inline import InlineParser
from scraper.models.threaded import ThreadedParser
from scraper.models.wall import walled
from scraper.parts import OnParsed, Outlet, Parser


def open_inline(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run that parses on its loop."""
    inline = lambda on_parsed: InlineParser(blueprint.setup, on_parsed, wall=blueprint.wall)  # noqa: E731
    return _opened(blueprint, inline, outlet)


def open_threaded(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run that parses in threads."""
    threaded = lambda on_parsed: ThreadedParser(blueprint.setup, blueprint.workers, on_parsed, blueprint.wall)  # noqa: E731
    return _opened(blueprint, threaded, outlet)


def _opened(blueprint: Blueprint, parser: Callable[[OnParsed], Parser], outlet: Outlet) -> LocalEngine:
    parser = walled(blueprint.wall, parser, behind_wall(blueprint))
    return LocalEngine(engine_parts(blueprint, loop_fetcher(blueprint), parser, keeper=keeper_of(blueprint)), outlet)
