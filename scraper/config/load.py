"""From a TOML file and --set options to a Config, or one ConfigError that lists every mistake, one a line."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scraper.config.complain import Origin, complaints
from scraper.config.model import Config
from scraper.config.render import shown_override
from scraper.errors import ConfigError


def load_config(path: Path | None, overrides: Sequence[str] = ()) -> Config:
    """Return the settings of `path` (None: the defaults), changed by `overrides` of the form KEY=VALUE in order.

    VALUE is TOML where it reads as TOML, else a text: `fetch.concurrency=128`, `fields.title=h1`.
    Raises ConfigError naming the file, the key, what was found, what was expected and the nearest valid name.
    """
    document = {} if path is None else read_document(path)
    overridden = {apply_override(document, override): override for override in overrides}
    try:
        return Config.model_validate(document)
    except ValidationError as exc:
        origin = Origin(file=None if path is None else str(path), overrides=overridden)
        raise ConfigError("\n".join(complaints(exc, document, origin))) from None


def with_fields(config: Config, fields: Mapping[str, Any]) -> Config:
    """Return `config` with another `[fields]` table. Raises ConfigError as `load_config` does."""
    document = {**config.model_dump(exclude_defaults=True), "fields": dict(fields)}
    try:
        return Config.model_validate(document)
    except ValidationError as exc:
        raise ConfigError("\n".join(complaints(exc, document, Origin(file=None, overrides={})))) from None


def read_document(path: Path) -> dict[str, Any]:
    """Return the TOML file as plain data. Raises ConfigError with line and column where it is not TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: not UTF-8 text (byte {exc.start}): save the file as UTF-8") from None
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file: write one with `scraper init {path}`") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a directory: name a TOML file in it") from None
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(_syntax_error(path, text, str(exc))) from None


def _syntax_error(path: Path, text: str, message: str) -> str:
    """Put tomllib's closing "(at line 3, column 5)" where editors look for it: file:line:column."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if match is None:
        return f"{path}: not TOML: {message}"
    lines = text.split("\n")
    line, column = match[2] or len(lines), match[3] or len(lines[-1]) + 1
    return f"{path}:{line}:{column}: not TOML: {match[1]}"


def apply_override(document: dict[str, Any], override: str) -> tuple[str, ...]:
    """Write one KEY=VALUE into `document` and return the key's path. Raises ConfigError for what has no such form."""
    path, value = parse_override(override)
    table: Any = document
    for depth, name in enumerate(path[:-1]):
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            short = ".".join(path[: depth + 1])
            raise ConfigError(f"--set {shown_override(override)}: {short} is a value, not a table: set {short} itself")
    table[path[-1]] = value
    return path


def parse_override(override: str) -> tuple[tuple[str, ...], Any]:
    """Return the key's path and its value.

    >>> parse_override("fetch.concurrency=128"), parse_override("fields.title=#main h1")
    ((('fetch', 'concurrency'), 128), (('fields', 'title'), '#main h1'))
    """
    key, equals, text = override.partition("=")
    path = _parse_key(key.strip())
    if not equals or path is None:
        raise ConfigError(f"--set {shown_override(override)}: expected KEY=VALUE, such as fetch.concurrency=128")
    return path, _parse_value(text.strip())


def _parse_key(key: str) -> tuple[str, ...] | None:
    """Return the parts of a TOML key ("a.b", a."b.c"), None where it is none."""
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return None
    parts = []
    while isinstance(table, dict):
        if len(table) != 1:
            return None
        name, table = next(iter(table.items()))
        parts.append(name)
    return tuple(parts) if table == 0 else None


def _parse_value(text: str) -> Any:
    """Return `text` as TOML reads it; what is not one TOML value is the text itself."""
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text
