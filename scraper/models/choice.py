"""Which model a run has: the engine that `run.model` names. Each is imported only where it is used."""

from scraper.config import Config, byte_budget
from scraper.config.machine import cores
from scraper.errors import ConfigError
from scraper.machine import has_gil
from scraper.models.blueprint import Blueprint
from scraper.parts import Engine, Outlet
from scraper.stats import Capacity


def open_engine(blueprint: Blueprint, outlet: Outlet) -> Engine:
    """The engine of a run. An archive needs no fetching: there, who would only fetch and parse alike is a hybrid."""
    model = blueprint.config.run.model
    if model == "asyncio":
        from scraper.models.asyncio_only import open_inline

        return open_inline(blueprint, outlet)
    if model == "asyncio-threads":
        from scraper.models.asyncio_only import open_threaded

        return open_threaded(blueprint, outlet)
    if model == "hybrid" or blueprint.from_archive:
        from scraper.models.hybrid import open_hybrid

        return open_hybrid(blueprint, outlet)
    if model == "threads":
        from scraper.models.threads import open_threads

        return open_threads(blueprint, outlet)
    if model == "processes":
        from scraper.models.processes import open_processes

        return open_processes(blueprint, outlet)
    from scraper.models.sharded import open_sharded

    return open_sharded(blueprint, outlet)


def capacity_of(blueprint: Blueprint) -> Capacity:
    """What the settings allow a model: requests at once, and pages in parse at once."""
    config, workers = blueprint.config, blueprint.workers
    concurrency = workers if config.run.model == "processes" else blueprint.most_concurrency
    parsing = {"asyncio": 1, "threads": concurrency}.get(config.run.model, workers)
    return Capacity(
        concurrency,
        parsing,
        byte_budget(config),
        config.run.model,
        cores(),
        config.write.commit_every,
        finds_concurrency=blueprint.finds_concurrency,
        shares_a_lock=config.run.model in ("threads", "asyncio-threads") and has_gil(),
    )


def refuse_impossible(config: Config) -> None:
    """Raise ConfigError for what a model cannot do, because its processes share no memory."""
    model = config.run.model
    if model == "processes" and config.fetch.cookies:
        raise ConfigError(
            'fetch.cookies: run.model = "processes" has no jar that its processes share: choose another model'
        )
    if model == "sharded" and config.politeness.by == "address":
        raise ConfigError(
            'politeness.by = "address": run.model = "sharded" keeps each site in one process, not each address: '
            "choose another model"
        )
