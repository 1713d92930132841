"""From a config to the parts of a pipeline. Shared by command line and Python API: only their output differs."""

from collections.abc import AsyncGenerator
from functools import partial

from scraper.config import Config, byte_budget
from scraper.models.blueprint import Blueprint
from scraper.models.choice import capacity_of, open_engine
from scraper.openfiles import allow_open_files
from scraper.parts import Limits, OpenOutput, Parts, Revisit
from scraper.records import SourceLine
from scraper.resume import Done
from scraper.urls.distinct import Distinct


def parts_of(
    blueprint: Blueprint,
    sources: AsyncGenerator[list[SourceLine], None],
    open_output: OpenOutput,
    *,
    earlier: Done | None = None,
    revisit: Revisit | None = None,
    distinct: Distinct | None = None,
) -> Parts:
    """All stages as the config wants them; nothing is started. Raises ConfigError for more than the system allows."""
    allow_open_files(blueprint.most_concurrency)
    return Parts(
        sources=sources,
        open_engine=partial(open_engine, blueprint),
        open_output=open_output,
        capacity=capacity_of(blueprint),
        earlier=earlier,
        revisit=revisit,
        distinct=distinct,
    )


def limits_of(config: Config, limit: int | None) -> Limits:
    """What the pipeline itself obeys."""
    return Limits(byte_budget(config), config.run.shutdown_timeout, limit)
