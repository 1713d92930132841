"""The fetch stage of models whose loop fetches."""

from scraper.fetch.archive import ArchiveFetcher
from scraper.fetch.client import Client
from scraper.fetch.wires import make_transport
from scraper.models.blueprint import Blueprint
from scraper.write.bodies import BodyFolder


def loop_fetcher(blueprint: Blueprint) -> Client | ArchiveFetcher:
    """Where the pages come from: the network, or the archives that were given as sources."""
    config = blueprint.config
    if blueprint.from_archive:
        return ArchiveFetcher(config.fetch.max_body, keep_heads=blueprint.keep_heads)
    wire = blueprint.wrap_wire(make_transport(config.fetch)) if blueprint.wrap_wire else None
    return Client(config.fetch, config.politeness, config.network, transport=wire, keep_heads=blueprint.keep_heads)


def keeper_of(blueprint: Blueprint) -> BodyFolder | None:
    """Where plain bodies are kept, if they are."""
    return None if blueprint.bodies is None else BodyFolder(blueprint.bodies, blueprint.config.fetch.max_body)
