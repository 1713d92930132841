"""Where rows go and in which form: what is refused, and that secrets stay out of sight."""

from typing import Any

import pytest

from scraper.config import WriteConfig


def test_secret_in_a_url_of_rows_is_escaped_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "p@ss/w:rd")
    write = WriteConfig(format="postgres", path="postgresql://joe:$DATABASE_PASSWORD@db.example/rows")
    assert write.paths == ("postgresql://joe:p%40ss%2Fw%3Ard@db.example/rows",)
    assert write.written_paths == ("postgresql://joe:$DATABASE_PASSWORD@db.example/rows",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"format": "jsnl"}, "did you mean 'jsonl'"),
        ({"format": []}, "one format, or a list"),
        ({"format": ["csv", "csv"]}, "one format, or a list"),
        ({"format": ["sqlite", "duckdb"]}, "one database at most"),
        ({"format": "postgres"}, "needs its server"),
        ({"format": "csv", "path": "postgresql://a/b"}, "cannot go to a PostgreSQL server"),
        ({"format": "sqlite", "path": "s3://a/b"}, "a file on this machine"),
        ({"path": ["a", "b"]}, "one for each format"),
        ({"path": "s3://joe:pw@a/b"}, "put it into the environment"),
        ({"path": "s3://$NOT_SET_ANYWHERE/b"}, "NOT_SET_ANYWHERE is not set"),
    ],
)
def test_place_of_rows_that_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WriteConfig(**settings)
