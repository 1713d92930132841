"""The section [write]: in which forms rows are kept, where, and how often they are made durable.

No I/O lives here; the descriptions are the comments of config/default.toml.
"""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator

from scraper.config.secrets import expand, is_reference
from scraper.config.sections import GIB, KIB, MIB, Duration, Section, Size, from_environment, listed

FORMATS = (
    "jsonl",
    "jsonl.gz",
    "jsonl.zst",
    "csv",
    "csv.gz",
    "csv.zst",
    "parquet",
    "sqlite",
    "duckdb",
    "postgres",
    "warc",
)
DATABASES = ("sqlite", "duckdb", "postgres")
"""Formats whose rows and URL states share one transaction: a run can have one of them."""


class WriteConfig(Section):
    """The output."""

    format: str | list[str] = Field(
        default="jsonl",
        description=f"The form of the rows, or several at once: {', '.join(FORMATS)}. All but jsonl and "
        "warc have fixed columns.",
    )
    path: str | list[str] = Field(
        default="",
        description='Where the rows go, one for each format; "" is a file in the output folder. A file, a folder/, a '
        "URL that fsspec knows (s3://bucket/folder/), or postgresql://user:$PASSWORD@host/database.",
    )
    table: str = Field(default="pages", min_length=1, description="The table in a database.")
    part_bytes: Size = Field(
        default=64 * MIB,
        ge=KIB,
        le=16 * GIB,
        description="Parquet files and those behind a URL are made when so many bytes of rows have come; until then "
        "the rows are safe in the output folder.",
    )
    dedupe: Literal["url", "final_url", "content"] = Field(
        default="url",
        description="Which pages are the same and give one row: those listed under one URL, also those that redirect "
        "to one, or also those whose bodies are equal.",
    )
    commit_every: Duration = Field(
        default=1.0,
        ge=0,
        le=3600.0,
        description="Rows are made durable this often; what a power cut takes is fetched again.",
    )
    commit_bytes: Size = Field(default=4 * MIB, ge=1, le=GIB, description="They are made durable earlier at this size.")

    @field_validator("format")
    @classmethod
    def _formats_are_known(cls, format: str | list[str]) -> str | list[str]:
        names = listed(format)
        for name in names:
            if name not in FORMATS:
                near = get_close_matches(name, FORMATS, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"expected one of {', '.join(FORMATS)}, got {name!r}{hint}")
        if not names or len(set(names)) < len(names):
            raise ValueError("expected one format, or a list of different ones")
        if len([name for name in names if name in DATABASES]) > 1:
            raise ValueError("expected one database at most: scraper export fills another from the first")
        return format

    @field_validator("path")
    @classmethod
    def _paths_can_be_read(cls, path: str | list[str]) -> str | list[str]:
        for text in listed(path):
            from_environment("path", text)
            if "://" in text and (password := urlsplit(text).password) and not is_reference(password):
                raise ValueError("holds a password: put it into the environment and write $NAME in its place")
        return path

    @model_validator(mode="after")
    def _paths_fit_the_formats(self) -> Self:
        paths = listed(self.path)
        if paths and len(paths) != len(self.formats):
            raise ValueError(f"path: expected one for each format, {len(self.formats)}, got {len(paths)}")
        for format, path in zip(self.formats, paths or [""] * len(self.formats), strict=True):
            _check_place(format, path)
        return self

    @property
    def formats(self) -> tuple[str, ...]:
        """The forms of the rows, one or more."""
        return tuple(listed(self.format))

    @property
    def written_paths(self) -> tuple[str, ...]:
        """Where each format goes, as written: safe to show. "" is the output folder."""
        return tuple(listed(self.path)) or ("",) * len(self.formats)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where each format goes, with what the environment holds in place; never to be shown."""
        return tuple(map(expanded, self.written_paths))


def expanded(path: str) -> str:
    """A file or URL with what the environment holds in place of `$NAME`; never to be shown.

    Raises ValueError naming a variable that is not set.
    """
    return expand(path, _Quoted() if "://" in path else os.environ)


class _Quoted(Mapping[str, str]):
    """The environment for URLs: an @ or / in a password must not end it (RFC 3986 section 2.4)."""

    def __getitem__(self, name: str) -> str:
        return quote(os.environ[name], safe="")

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def _check_place(format: str, path: str) -> None:
    """Raise ValueError where a format cannot go there."""
    is_server = path.startswith(("postgresql://", "postgres://"))
    if format == "postgres" and not is_server:
        raise ValueError('path: format postgres needs its server, such as "postgresql://user:$PASSWORD@host/database"')
    if format != "postgres" and is_server:
        raise ValueError(f"path: format {format} cannot go to a PostgreSQL server")
    if format in DATABASES and not is_server and "://" in path:
        raise ValueError(f"path: a {format} database is a file on this machine")
