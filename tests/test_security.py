"""SECURITY.md promises nothing without a test, and each test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.hostile.behaviours import BEHAVIOURS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISES = TEXT.partition("## What is promised")[2].partition("## What is not promised")[0]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)+)`", TEXT)))


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a file, those of classes as `Class::test`."""
    found = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {prefix + test.name for test in inner if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


def rows() -> list[list[str]]:
    """The rows of the tables of promises: threat, what is done, test."""
    lines = [line for line in PROMISES.splitlines() if line.startswith("| ")]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines
        if line != "| threat | what is done | test |"
    ]


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    assert (ROOT / path).is_file()
    assert test in names_in(path)
    assert test.rpartition("::")[2].startswith("test_")


def test_every_promise_names_a_test() -> None:
    assert len(rows()) > 20
    for row in rows():
        assert len(row) == 3, row
        assert re.fullmatch(r"`tests/[\w/]+\.py(::\w+)+`( `tests/[\w/]+\.py(::\w+)+`)*", row[2]), row


def test_the_number_of_behaviours_is_that_of_the_table() -> None:
    stated = re.search(r"(\d+) hostile behaviours", TEXT)
    assert stated is not None
    assert int(stated[1]) <= len(BEHAVIOURS) < int(stated[1]) + 20


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|fuzz)/[\w/]*?)/?`", TEXT))))
def test_a_named_folder_is_there(path: str) -> None:
    assert (ROOT / path).is_dir()
