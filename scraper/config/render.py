"""The model as TOML: complete with comments for people to copy, or resolved with secrets masked. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from textwrap import wrap
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scraper.config.model import Config
from scraper.config.proxy import masked_proxy
from scraper.config.secrets import is_reference
from scraper.config.sections import FieldConfig
from scraper.config.words import limits, quantity_of

_WIDTH = 100
_MASK = "***"
_SECRET_NAME = re.compile(r"auth|cookie|key|token|secret|passw|session", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/?#\s@]+@")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def render_toml(config: Config, comments: bool = True) -> str:
    """Return every key of `config` as TOML that loads to the same settings.

    With `comments` each key is preceded by its reason, what it accepts and, where it was changed, its default.
    """
    return "\n".join(_document(config, comments)).strip() + "\n"


def resolved_toml(config: Config) -> str:
    """Return the same without comments and without secrets: credential headers and passwords in URLs are masked."""
    fetch = config.fetch
    headers = {name: masked(name, value) for name, value in fetch.headers.items()}
    hidden = {"headers": headers, "proxy": _masked_all("proxy", fetch.proxy)}
    quiet = config.model_copy(update={"fetch": fetch.model_copy(update=hidden)})
    return _USERINFO.sub(f"{_MASK}@", render_toml(quiet, comments=False))


def masked(name: str, value: str) -> str:
    """Return the value, or stars where the name says that it is a secret or the value is a URL with a password.

    The bare name of an environment variable is no secret and tells where to look.
    """
    if is_reference(value):
        return value
    if name == "proxy":
        return masked_proxy(value)
    return _MASK if _SECRET_NAME.search(name) else _USERINFO.sub(f"{_MASK}@", value)


def shown(name: str, value: Any) -> str:
    """Return a value for a message: as TOML, masked, cut to what fits a line."""
    text = toml_value(_masked_all(name, value))
    return text if len(text) <= 60 else text[:57] + "..."


def shown_override(option: str) -> str:
    """Return a --set option for a message: its secrets masked, and a table not repeated, which may hold some.

    >>> shown_override("fetch.proxy=http://joe:pw@proxy:1"), shown_override("fetch={ headers = { Cookie = 'a' } }")
    ('fetch.proxy=http://***@proxy:1', 'fetch=...')
    """
    key, equals, value = option.partition("=")
    if value.lstrip().startswith("{"):
        return f"{key}=..."
    return key + equals + masked(key.strip().rpartition(".")[2], value)


def _masked_all(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_masked_all(name, item) for item in value]
    return masked(name, value) if isinstance(value, str) else value


def dotted(path: Sequence[str]) -> str:
    """Return a key path as TOML writes it.

    >>> dotted(["fetch", "headers", "X.Y"])
    'fetch.headers."X.Y"'
    """
    return ".".join(_key(name) for name in path)


def toml_value(value: Any) -> str:
    """Return one value in TOML's inline form. `value` is what tomllib can give; None has no TOML form (TypeError)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's too, but JSON lets DEL through.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {toml_value(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    raise TypeError(f"TOML has no form for {value!r}")


def _document(config: Config, comments: bool) -> Iterator[str]:
    for name, info in Config.model_fields.items():
        part = getattr(config, name)
        yield from ("", f"[{name}]")
        if isinstance(part, BaseModel):
            yield from _section(part, comments)
        else:
            yield from _comment(info.description or "") if comments else ()
            yield from (f"{_key(field)} = {_field_value(spec)}" for field, spec in part.items())


def _section(section: BaseModel, comments: bool) -> Iterator[str]:
    values = section.model_dump()
    for index, (name, info) in enumerate(type(section).model_fields.items()):
        if comments:
            yield from [""] if index else []
            yield from _comment(_explain(info, changed=getattr(section, name) != info.default))
        yield f"{name} = {toml_value(values[name])}"


def _explain(info: FieldInfo, changed: bool) -> str:
    """Return the reason, then in brackets what is accepted and the default where another value stands below."""
    notes = [limits(info)] if limits(info) else []
    if changed:
        notes.append(f"default {toml_value(_written(info))}")
    return f"{info.description} ({'; '.join(notes)})" if notes else str(info.description)


def _written(info: FieldInfo) -> Any:
    """Return the default as it stands in a file, with its unit."""
    quantity = quantity_of(info)
    return quantity.format(info.default) if quantity else info.default


def _comment(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _field_value(field: FieldConfig) -> str:
    written = field.model_dump(exclude_defaults=True)
    return toml_value(field.css if written.keys() == {"css"} else written)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)
