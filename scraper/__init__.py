"""A concurrent web scraper: a list of URLs goes in, one typed row per page comes out.

The public names are imported on first use, so that `scraper --help` and the parse workers do not wait for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scraper.api import scrape, scrape_sync
    from scraper.config import Config
    from scraper.records import Failure, Page

__all__ = ["Config", "Failure", "Page", "scrape", "scrape_sync"]

_HOME = {
    "scrape": "scraper.api",
    "scrape_sync": "scraper.api",
    "Config": "scraper.config",
    "Failure": "scraper.records",
    "Page": "scraper.records",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
