"""What is wrong with a configuration, one line per mistake, in the words of the file and not of the validator. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeGuard, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from scraper.config.model import Config
from scraper.config.render import dotted, shown, shown_override
from scraper.config.words import expected

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings came from, so that a line can say which place to mend."""

    file: str | None
    """The file's name as the user wrote it; None where there is none."""
    overrides: Mapping[Path, str] = field(default_factory=dict)
    """The --set options by the key path that each one wrote."""

    def prefix(self, path: Path) -> str:
        """Return the place of `path`: the --set option that wrote it or a part of it, else the file."""
        for written, option in self.overrides.items():
            if path[: len(written)] == written or written[: len(path)] == path:
                return f"--set {shown_override(option)}: "
        return f"{self.file}: " if self.file else ""


def complaints(error: ValidationError, document: Mapping[str, Any], origin: Origin) -> list[str]:
    """Return one line per wrong key, in the model's order; the several readings of one value give one line."""
    lines: dict[Path, str] = {}
    for detail in error.errors(include_url=False):
        path, found = _written_path(detail["loc"], document)
        known = _field_at(path)
        lines.setdefault(path, origin.prefix(path) + _sentence(detail, path, found, known))
    return list(lines.values())


_ABSENT = object()


def _written_path(loc: Sequence[int | str], document: Mapping[str, Any]) -> tuple[Path, Any]:
    """Return the part of `loc` that stands in the document, and the value there; the rest names the validator's parts.

    A key that is missing from a table that is there counts as standing, with the value `_ABSENT`.
    """
    value: Any = document
    path: Path = ()
    for name in map(str, loc):
        if not isinstance(value, Mapping) or _is_value(path):
            break
        path, value = (*path, name), value.get(name, _ABSENT)
    return path, value


def _sentence(detail: Any, path: Path, found: Any, known: FieldInfo | type[BaseModel] | None) -> str:
    """Say what is wrong: 1 an unknown key, 2 a missing one, 3 a rule of the model's own, 4 a type, limit or choice."""
    name = dotted(path)
    if detail["type"] == "extra_forbidden":
        return f"{name} is not a setting: {_hint(path)}"
    if detail["type"] == "missing":
        return f"{name} is missing: expected {_wanted(path, known)}"
    if detail["type"] == "value_error":
        reason = str(detail["ctx"]["error"])
        return f"{name}{_value(path, found)}: {reason}" if path else reason
    return f"{name}{_value(path, found)}: expected {_wanted(path, known)}"


def _value(path: Path, found: Any) -> str:
    """Return ` = value`; tables are not repeated, they may be long."""
    if isinstance(found, Mapping):
        return " is a table" if _is_value(path) else ""
    return "" if found is _ABSENT else f" = {shown(path[-1], found)}"


def _wanted(path: Path, known: FieldInfo | type[BaseModel] | None) -> str:
    if path[:1] == ("fields",) and len(path) == 2:
        return 'a CSS selector or a table, such as { css = ".price", type = "decimal" }'
    if path[:2] == ("fetch", "headers") and len(path) == 3:
        return "a text"
    if isinstance(known, FieldInfo):
        return expected(known)
    return f"a table, [{dotted(path)}]"


def _hint(path: Path) -> str:
    """Return the nearest valid name, or all names of the place where nothing is near."""
    *parent, name = path
    siblings = _names_under(tuple(parent))
    elsewhere = [known for known in _all_settings() if known[-1] == name]
    near = get_close_matches(name, siblings, n=1)
    if elsewhere and path[0] != "fields":
        return f"did you mean {dotted(elsewhere[0])}?"
    if near:
        return f"did you mean {dotted((*parent, near[0]))}?"
    return f"known here: {', '.join(siblings)}"


def _all_settings() -> Iterator[Path]:
    for section, info in Config.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from ((section, name) for name in model.model_fields)


def _names_under(parent: Path) -> list[str]:
    model = _field_at(parent) if parent else Config
    return list(model.model_fields) if isinstance(model, type) else []


def _field_at(path: Path) -> FieldInfo | type[BaseModel] | None:
    """Return the key's declaration, the model where the path names a table, None where nothing is known."""
    at: Any = Config
    for name in path:
        if isinstance(at, FieldInfo):
            at = _table_values(at)
            continue
        at = at.model_fields.get(name) if _is_model(at) else None
        if isinstance(at, FieldInfo) and _is_model(at.annotation):
            at = at.annotation
    return at if isinstance(at, FieldInfo) or _is_model(at) else None


def _is_value(path: Path) -> bool:
    """Whether the key takes a value, and never a table."""
    known = _field_at(path) if path else None
    return isinstance(known, FieldInfo) and get_origin(known.annotation) is not dict


def _table_values(info: FieldInfo) -> Any:
    """Return what a table of free names holds: the model of `[fields]` entries, `str` for headers."""
    return (get_args(info.annotation) or (None, None))[-1]


def _is_model(value: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(value, type) and issubclass(value, BaseModel)
