"""docs/durability.md promises nothing without a test, and each test that it names is there."""

import re
from pathlib import Path

import pytest

from tests.test_security import names_in

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/durability.md").read_text(encoding="utf-8")
PROMISES = [
    line for line in TEXT.partition("## What is promised")[2].partition("\n## ")[0].splitlines() if "|" in line
][2:]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w/]+\.py::[\w:]+)`", TEXT))))
def test_a_named_test_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    assert test in names_in(path)


def test_every_promise_is_one_line_with_a_test() -> None:
    assert len(PROMISES) > 20
    for line in PROMISES:
        promise, test = (cell.strip() for cell in line.strip("|").split(" | "))
        assert promise.endswith("."), line
        assert test.startswith("`tests/"), line
