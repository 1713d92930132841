"""What the rows of a run look like: their forms, their columns, and whether a resume agrees with that. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scraper.config import Config, has_columns
from scraper.parse.article import ARTICLE_FIELDS
from scraper.parse.structured import DEFAULT_FIELDS
from scraper.records import Column, ColumnType, FieldSpec, ParsePlan
from scraper.write.encode import OTHER_COLUMNS

OWN_COLUMNS = (
    Column("url"),
    Column("final_url"),
    Column("status", "int"),
    Column("fetched_at", "datetime"),
    Column("close_delimited", "bool"),
)
_LIST_OF = "list of "
_DEFAULT_TYPES: dict[str, tuple[ColumnType, bool]] = {
    "links": ("str", True),
    "og": ("json", False),
    "jsonld": ("json", False),
}


@dataclass(frozen=True, slots=True)
class RowForm:
    """The forms of the rows, and their columns where a form has fixed ones."""

    formats: tuple[str, ...]
    settings: Mapping[str, Any]
    """Plain JSON; a resume needs the same."""
    columns: tuple[Column, ...] = ()
    """A resume keeps those of the run where it can."""

    @property
    def shape(self) -> dict[str, Any]:
        """What the journal's header says of the rows."""
        return {**self.settings, "columns": {column.name: _word_of(column) for column in self.columns}}

    def resumed(self, shape: Mapping[str, Any]) -> "RowForm":
        """This form with the columns of the run that is resumed, where they have a place for all that is known to come.

        `shape` is what that run's header says.
        """
        return replace(self, columns=kept_columns(columns_of(shape), self.columns))


def columns_of(shape: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns that a header tells of.

    >>> form = RowForm(("csv",), {}, (Column("a", "int"), Column("b", many=True)))
    >>> form.shape, columns_of(form.shape) == form.columns
    ({'columns': {'a': 'int', 'b': 'list of str'}}, True)
    """
    told: Mapping[str, Any] = shape.get("columns") or {}
    return tuple(Column(name, word.removeprefix(_LIST_OF), word.startswith(_LIST_OF)) for name, word in told.items())


def told_columns(shape: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns that the fields of a header need, for rows without fixed ones; less what only the rows can tell.

    >>> [column.name for column in told_columns({"fields": {"price": {"css": ".p", "type": "decimal"}}})]
    ['url', 'final_url', 'status', 'fetched_at', 'close_delimited', 'price']
    """
    specs = tuple(FieldSpec(name=name, **told) for name, told in (shape.get("fields") or {}).items())
    plan = ParsePlan(fields=specs, article=bool(shape.get("article")))
    return columns(field_columns(plan, keep_bodies=False), [], is_open=False)


def _word_of(column: Column) -> str:
    return f"{_LIST_OF if column.many else ''}{column.type}"


def kept_columns(before: Sequence[Column], now: Sequence[Column]) -> tuple[Column, ...]:
    """The columns to go on with: the run's own, where they have a place for all that the list is known to bring.

    >>> id, url, other = Column("id"), Column("url"), Column("other", "json")
    >>> kept_columns([url, other], [url, id]) == (url, other), kept_columns([url], [url, id]) == (url, id)
    (True, True)
    """
    names = {column.name for column in before}
    has_place = OTHER_COLUMNS in names or {column.name for column in now} - {OTHER_COLUMNS} <= names
    return tuple(before if has_place else now)


def row_form(config: Config, settings: Mapping[str, Any], carried: Iterable[str], *, is_open: bool) -> RowForm:
    """The form of a run's rows.

    `settings`: what a resume must agree with. `carried`: the other columns that the lists are known to bring;
    `is_open`: there may come more. Neither counts where no form has fixed columns.
    """
    formats = config.write.formats
    if not any(map(has_columns, formats)):
        return RowForm(formats, settings)
    fields = field_columns(config.parse_plan(), keep_bodies=config.fetch.keep_bodies)
    return RowForm(formats, settings, columns(fields, list(carried), is_open=is_open))


def field_columns(plan: ParsePlan, *, keep_bodies: bool) -> tuple[Column, ...]:
    """What a row holds besides its own keys and the input's columns, in order; less what the user's function adds."""
    fields = tuple(map(_column_of, plan.fields)) or tuple(
        Column(name, *_DEFAULT_TYPES.get(name, ("str", False))) for name in DEFAULT_FIELDS
    )
    article = tuple(map(Column, ARTICLE_FIELDS)) if plan.article else ()
    return (*([Column("body_file")] if keep_bodies else []), *fields, *article)


def columns(fields: Sequence[Column], carried: Sequence[str], *, is_open: bool) -> tuple[Column, ...]:
    """All columns of a row; `is_open` adds one for keys that nobody can know beforehand.

    >>> [column.name for column in columns([Column("title")], ["id", "title"], is_open=False)[5:]]
    ['id', 'input_title', 'title']
    """
    taken = {column.name for column in (*OWN_COLUMNS, *fields)}
    inputs = [Column(f"input_{name}" if name in taken else name) for name in carried]
    return (*OWN_COLUMNS, *inputs, *fields, *([Column(OTHER_COLUMNS, "json")] if is_open else []))


def _column_of(spec: FieldSpec) -> Column:
    if spec.count or spec.length:
        return Column(spec.name, "int")
    return Column(spec.name, "str" if spec.type == "url" else spec.type, spec.many)
