"""What a setting accepts, in words: read off the model's own types, so that messages and comments cannot drift."""

import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Quantity:
    """Marks a number that is written with a unit."""

    noun: str
    example: str
    format: Callable[[Any], str]


_NOUNS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    list[str]: "a list of texts",
}
_TABLE = "a table"


def expected(field: FieldInfo) -> str:
    """Return what the field takes: `a duration from 1ms to 24h, such as "10s"`, `"listed", "deny" or "allow"`."""
    return _describe(field.annotation, field.metadata)


def limits(field: FieldInfo) -> str:
    """Return the choices or the range alone, "" where there is neither: `"auto" or 1 to 1024`, `1ms to 24h`."""
    words = _describe(field.annotation, field.metadata, terse=True)
    return "" if words in _NOUNS.values() or words == _TABLE else words


def quantity_of(field: FieldInfo) -> Quantity | None:
    """Return the unit that the field's number is written with, None where it has none."""
    return _quantity(field.metadata)


def _quantity(metadata: Iterable[Any]) -> Quantity | None:
    return next((mark for mark in metadata if isinstance(mark, Quantity)), None)


def _describe(annotation: Any, metadata: Iterable[Any], terse: bool = False) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return _describe(inner, _flatten(extra), terse)
    if origin in (Union, types.UnionType):
        return _join(_describe(arm, (), terse) for arm in get_args(annotation) if arm is not type(None))
    if origin is Literal:
        return _join(f'"{choice}"' for choice in get_args(annotation))
    return _number(annotation, list(metadata), terse)


def _number(annotation: Any, metadata: list[Any], terse: bool) -> str:
    quantity = _quantity(metadata)
    noun = quantity.noun if quantity else _NOUNS.get(annotation, _TABLE)
    bounds = _bounds(metadata, quantity.format if quantity else str)
    if terse and bounds:
        return bounds
    example = f', such as "{quantity.example}"' if quantity else ""
    return f"{noun} from {bounds}{example}" if bounds else noun + example


def _bounds(metadata: list[Any], show: Callable[[Any], str]) -> str:
    """Return `low to high`; the model gives either both or none."""
    low = next((show(mark.ge) for mark in metadata if isinstance(mark, Ge)), None)
    high = next((show(mark.le) for mark in metadata if isinstance(mark, Le)), None)
    return f"{low} to {high}" if low is not None and high is not None else ""


def _flatten(extra: Iterable[Any]) -> list[Any]:
    """Return the marks of an inner `Annotated`, those inside a `Field(...)` included."""
    return [mark for item in extra for mark in (item.metadata if isinstance(item, FieldInfo) else [item])]


def _join(choices: Iterable[str]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last
