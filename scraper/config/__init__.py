"""The configuration: units, the typed model, loading and rendering. No other part of the package is imported here.

The units are cheap and imported at once; the rest follows on first use, because the model needs pydantic and
`scraper --help` should not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scraper.config.units import format_duration, format_size, parse_duration, parse_size

if TYPE_CHECKING:
    from scraper.config.caution import cautions
    from scraper.config.load import load_config, with_fields
    from scraper.config.machine import byte_budget, first_workers, worker_processes
    from scraper.config.model import ROW_KEYS, Config, has_columns, row_shape
    from scraper.config.render import render_toml, resolved_toml
    from scraper.config.sections import (
        FetchConfig,
        FieldConfig,
        NetworkConfig,
        ParseConfig,
        PolitenessConfig,
        RunConfig,
    )
    from scraper.config.writing import DATABASES, FORMATS, WriteConfig

__all__ = [
    "DATABASES",
    "FORMATS",
    "ROW_KEYS",
    "Config",
    "FetchConfig",
    "FieldConfig",
    "NetworkConfig",
    "ParseConfig",
    "PolitenessConfig",
    "RunConfig",
    "WriteConfig",
    "byte_budget",
    "cautions",
    "first_workers",
    "format_duration",
    "format_size",
    "has_columns",
    "load_config",
    "parse_duration",
    "parse_size",
    "render_toml",
    "resolved_toml",
    "row_shape",
    "with_fields",
    "worker_processes",
]

_HOME = {
    "Config": "model",
    "ROW_KEYS": "model",
    "has_columns": "model",
    "DATABASES": "writing",
    "FORMATS": "writing",
    "WriteConfig": "writing",
    "row_shape": "model",
    "load_config": "load",
    "with_fields": "load",
    "byte_budget": "machine",
    "cautions": "caution",
    "first_workers": "machine",
    "worker_processes": "machine",
    "render_toml": "render",
    "resolved_toml": "render",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'sections')}"), name)
