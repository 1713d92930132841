"""The configuration as one frozen, typed model, and what the parts of a run are told of it. Pure."""

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from scraper.config.sections import (
    FetchConfig,
    FieldConfig,
    NetworkConfig,
    ParseConfig,
    PolitenessConfig,
    RunConfig,
    Section,
)
from scraper.config.units import format_size
from scraper.config.writing import DATABASES, WriteConfig
from scraper.records import Column, FieldSpec, ParsePlan

ROW_KEYS = ("url", "final_url", "status", "fetched_at", "close_delimited")
"""The row's own keys, in order; no field may take their names."""


class Config(Section):
    """All settings of a run."""

    run: RunConfig = RunConfig()
    fetch: FetchConfig = FetchConfig()
    politeness: PolitenessConfig = PolitenessConfig()
    network: NetworkConfig = NetworkConfig()
    parse: ParseConfig = ParseConfig()
    fields: dict[str, FieldConfig] = Field(
        default={},
        description="What a row holds after url, final_url, status and fetched_at. Empty: title, description, h1, "
        "canonical, lang, links, Open Graph and JSON-LD.",
    )
    write: WriteConfig = WriteConfig()

    @model_validator(mode="before")
    @classmethod
    def _expand_shorthands(cls, data: Any) -> Any:
        return expand_shorthands(data) if isinstance(data, dict) else data

    @field_validator("fields")
    @classmethod
    def _names_are_free(cls, fields: dict[str, FieldConfig]) -> dict[str, FieldConfig]:
        for name in fields:
            if name in ROW_KEYS:
                raise ValueError(f"{name} is the row's own key: choose another name")
            if not name.strip():
                raise ValueError("a field needs a name")
        return fields

    @model_validator(mode="after")
    def _one_body_fits(self) -> Self:
        memory = self.run.memory
        if memory != "auto" and memory < self.fetch.max_body:
            raise ValueError(
                f'run.memory = "{format_size(memory)}" cannot hold one page of fetch.max_body = '
                f'"{format_size(self.fetch.max_body)}": raise the first or lower the second'
            )
        return self

    def field_specs(self) -> tuple[FieldSpec, ...]:
        """Return [fields] as plain records, in the order of the file."""
        return tuple(FieldSpec(name=name, **dict(field)) for name, field in self.fields.items())

    def parse_plan(self, columns: tuple[Column, ...] = (), salt: int = 0) -> ParsePlan:
        """Return all that a parse worker must know; `columns` in order, `salt` for content hashes."""
        return ParsePlan(
            fields=self.field_specs(),
            article=self.parse.article,
            function=self.parse.function or None,
            formats=self.write.formats,
            columns=columns,
            salt=salt,
            max_body=self.fetch.max_body,
        )


def expand_shorthands(data: dict[str, Any]) -> dict[str, Any]:
    """Return the document with `[fields] article = true` as parse.article and `name = "css"` as a table.

    What is neither stays, for the type check to refuse. Raises ValueError where the two spellings of article differ.
    """
    fields = data.get("fields")
    if not isinstance(fields, dict):
        return data
    if isinstance(fields.get("article"), bool):
        data = {**data, "parse": _with_article(data.get("parse", {}), fields["article"])}
        fields = {name: value for name, value in fields.items() if name != "article"}
    expanded = {name: {"css": value} if isinstance(value, str) else value for name, value in fields.items()}
    return {**data, "fields": expanded}


def _with_article(parse: Any, article: bool) -> Any:
    if not isinstance(parse, dict):
        return parse
    if parse.get("article", article) != article:
        raise ValueError("fields.article and parse.article say the opposite of each other: keep one")
    return {**parse, "article": article}


def has_columns(format: str) -> bool:
    """Whether a form of rows has columns that are fixed when the run begins.

    >>> has_columns("csv.gz"), has_columns("jsonl.zst")
    (True, False)
    """
    return not format.startswith(("jsonl", "warc"))


def row_shape(config: Config) -> dict[str, Any]:
    """Return what decides the form of a row, as plain JSON data: a run may only be resumed with the same.

    The user's function counts by its name; its source may change between. The order of the fields counts where it
    is the order of the columns.
    """
    return {
        "fields": {name: field.model_dump(mode="json") for name, field in config.fields.items()},
        "article": config.parse.article,
        "function": config.parse.function or None,
        "format": list(config.write.formats),
        "path": list(config.write.written_paths),
        "table": config.write.table if set(config.write.formats) & set(DATABASES) else None,
        "dedupe": config.write.dedupe,
        "columns": list(config.fields) if any(has_columns(name) for name in config.write.formats) else None,
    }
