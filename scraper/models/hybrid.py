"""The hybrid: one loop fetches, a pool of processes parses, the writer's thread persists."""

from collections.abc import Callable
from dataclasses import replace

from scraper.config.machine import machine_cores
from scraper.engine import LocalEngine
from scraper.models.blueprint import Blueprint, engine_parts
from scraper.models.fetchers import keeper_of, loop_fetcher
from scraper.parse.pool import ParsePool, PoolOptions
from scraper.parts import OnParsed, Outlet


def open_hybrid(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run."""
    setup, options = blueprint.setup, pool_options(blueprint)

    pools: list[ParsePool] = []

    def open_parser(on_parsed: OnParsed) -> ParsePool:
        pools.append(ParsePool(setup, options, on_parsed))
        return pools[0]

    def note() -> str:
        return f"{pools[0].size} ({machine_cores()}; busy {pools[0].busy_share:.0%})".replace("%", " %")

    parts = engine_parts(blueprint, loop_fetcher(blueprint), open_parser, keeper=keeper_of(blueprint), parser_note=note)
    return LocalEngine(parts, outlet)


def behind_wall(blueprint: Blueprint) -> Callable[[OnParsed], ParsePool]:
    """What makes the pool for the suspects of a model that has one process."""
    all_of_them = blueprint.wall is not None and blueprint.wall.suspects_all
    options = replace(pool_options(blueprint), processes=blueprint.workers if all_of_them else 1, most_processes=0)
    return lambda on_parsed: ParsePool(blueprint.setup, options, on_parsed)


def pool_options(blueprint: Blueprint) -> PoolOptions:
    """The parse pool's share of the settings."""
    parse = blueprint.config.parse
    return PoolOptions(
        blueprint.first_workers, parse.batch_bytes, parse.batch_age, parse.timeout, most_processes=blueprint.workers
    )
