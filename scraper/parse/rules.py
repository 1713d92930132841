"""`[fields]` checked and made ready, once for a run. Pure: selectors are tried on an empty document.

What is wrong raises ConfigError with the key's path, the value and what was expected.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from textwrap import shorten
from typing import Any

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from scraper.errors import ConfigError
from scraper.parse import values
from scraper.records import FieldSpec, FieldType

Convert = Callable[[str], Any]

CONVERTERS: dict[str, Convert | None] = {
    "str": None,
    "int": values.to_int,
    "float": values.to_float,
    "decimal": values.to_decimal,
    "bool": values.to_bool,
    "date": values.to_date,
    "datetime": values.to_datetime,
    "url": None,
    "json": values.to_json,
}
"""How each type reads a text; None where that is not for the text alone to say (url) or nothing is to be done (str)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A field, ready to be applied. The options are those of FieldSpec."""

    name: str
    css: str
    attr: str | None
    many: bool
    count: bool
    type: FieldType
    required: bool
    pattern: re.Pattern[str] | None
    group: int
    """The group of the pattern that is kept."""
    convert: Convert | None
    """From the text to the value; None where the text is the value, and for url, which needs the page."""
    default: Any


@dataclass(frozen=True, slots=True)
class Rules:
    """All fields of a run, in the order of the file."""

    rules: tuple[Rule, ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)


def compile_rules(specs: Sequence[FieldSpec]) -> Rules:
    """The rules of `[fields]`. Raises ConfigError at the first that cannot be what was meant."""
    return Rules(tuple(_compile(spec) for spec in specs), frozenset(spec.name for spec in specs))


def check_selector(css: str, key: str) -> None:
    """Raise ConfigError, naming `key`, where `css` is not a selector that Lexbor understands."""
    try:
        LexborHTMLParser("").css(css)
    except (SelectolaxError, UnicodeEncodeError):
        raise ConfigError(f"{key}: {css!r} is not a CSS selector{_hint(css)}") from None


_HINTS = (
    ("::text", "leave ::text out: the text is read unless attr is set"),
    ("::attr", 'leave ::attr(name) out and set attr = "name"'),
    ("//", 'it looks like XPath; write CSS, such as "div.price > span"'),
    (":contains(", 'use :lexbor-contains("text") or a regex'),
    (":first", "a field takes the first match anyway; among siblings use :first-of-type"),
    (":eq(", "use :nth-of-type(1)"),
)


def _hint(css: str) -> str:
    hint = next((hint for mark, hint in _HINTS if mark in css), 'expected such as "h1" or "meta[name=author]"')
    return f": {hint}"


def _compile(spec: FieldSpec) -> Rule:
    key = f"fields.{spec.name}"
    check_selector(spec.css, f"{key}.css")
    _check_options(spec, key)
    pattern = _pattern(spec, key)
    return Rule(
        name=spec.name,
        css=spec.css,
        attr=spec.attr,
        many=spec.many,
        count=spec.count,
        type=spec.type,
        required=spec.required,
        pattern=pattern,
        group=1 if pattern is not None and pattern.groups else 0,
        convert=len if spec.length else CONVERTERS[spec.type],
        default=_default(spec, key),
    )


def _check_options(spec: FieldSpec, key: str) -> None:
    """Refuse options of which one would have no effect."""
    if spec.type not in CONVERTERS:
        raise ConfigError(f"{key}.type: {spec.type!r} is no type; expected {', '.join(CONVERTERS)}")
    if spec.attr is not None and not spec.attr.strip():
        raise ConfigError(f'{key}.attr: an attribute name was expected, such as "href"')
    for first, second, why in _CLASHES:
        if _has(spec, first) and _has(spec, second):
            raise ConfigError(f"{key}: {first} and {second} cannot stand together: {why}")


_COUNTED = "count = true gives the number of matches and reads nothing else of them"
_MEASURED = "length = true gives a number of characters"
_CLASHES = (
    ("count", "attr", _COUNTED),
    ("count", "many", _COUNTED),
    ("count", "length", _COUNTED),
    ("count", "type", _COUNTED),
    ("count", "regex", _COUNTED),
    ("count", "default", "without a match the count is 0"),
    ("length", "many", _MEASURED),
    ("length", "type", _MEASURED),
    ("required", "default", "with a default there is always a value"),
)


def _has(spec: FieldSpec, option: str) -> bool:
    """Whether an option is set to something else than what it is when left out."""
    value = getattr(spec, option)
    return value != "str" if option == "type" else value is not None and value is not False


def _pattern(spec: FieldSpec, key: str) -> re.Pattern[str] | None:
    if spec.regex is None:
        return None
    try:
        return re.compile(spec.regex)
    except re.error as exc:
        raise ConfigError(f"{key}.regex: {spec.regex!r} is not a regular expression: {exc}") from None


def _default(spec: FieldSpec, key: str) -> Any:
    """The default as a value of the field's type; [] for a list without one."""
    if spec.default is None:
        return [] if spec.many else None
    if spec.many:
        return _default_list(spec, key)
    return _typed(spec, spec.default, f"{key}.default")


def _default_list(spec: FieldSpec, key: str) -> list[Any]:
    if not isinstance(spec.default, list):
        raise ConfigError(
            f"{key}.default: many = true gives a list, so a list was expected, not {_shown(spec.default)}"
        )
    return [_typed(spec, item, f"{key}.default") for item in spec.default]


_ACCEPTED: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "url": (str,),
    "int": (int,),
    "float": (float, int),
    "decimal": (Decimal, int, float, str),
    "bool": (bool,),
    "date": (date, str),
    "datetime": (datetime, str),
    "json": (object,),
}


def _typed(spec: FieldSpec, value: Any, key: str) -> Any:
    """The value as TOML gave it in the field's own type."""
    kind = "int" if spec.length else spec.type
    if not _is_accepted(kind, value):
        raise ConfigError(f"{key}: {_shown(value)} is not of the field's type, {kind}")
    typed = _read_default(kind, value)
    if typed is None:
        raise ConfigError(f"{key}: {_shown(value)} cannot be read as {kind}")
    return typed


def _shown(value: Any) -> str:
    """A value as TOML writes it, tables and all that is long cut short."""
    return shorten(json.dumps(value, ensure_ascii=False, default=str), 80, placeholder="…")


def _is_accepted(kind: str, value: Any) -> bool:
    if isinstance(value, bool):  # which Python counts among the ints
        return kind in ("bool", "json")
    if isinstance(value, datetime) and kind == "date":  # a subclass of date, with more in it
        return False
    return isinstance(value, _ACCEPTED[kind])


def _read_default(kind: str, value: Any) -> Any:
    if kind == "float":
        return float(value)
    if kind == "decimal":
        return values.to_decimal(str(value))
    if kind in ("date", "datetime") and isinstance(value, str):
        return CONVERTERS[kind](value)  # type: ignore[misc]
    return value
