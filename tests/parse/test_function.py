"""The user's own function: loading and what it may answer."""

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from scraper.errors import ConfigError
from scraper.parse.function import check_result, load_function

SOURCE = """
CONSTANT = 3
def extract(page, tree): return {"a": 1}
def narrow(page): return {}
async def later(page, tree): return {}
class Rules:
    @staticmethod
    def extract(page, tree): return {"b": 2}
class Reader:
    def __call__(self, page, tree): return {"c": 3}
reader = Reader()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("own_rules:extract", {"a": 1}), ("own_rules:Rules.extract", {"b": 2}), ("own_rules:reader", {"c": 3})],
)
def test_a_function_in_the_current_folder_is_found(folder: Path, path: str, expected: dict[str, int]) -> None:
    (folder / "own_rules.py").write_text(SOURCE)
    assert load_function(path)(None, None) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("own_rules", 'not of the form "module:callable"'),
        (":extract", 'not of the form "module:callable"'),
        ("own_rules:", 'not of the form "module:callable"'),
        ("__main__:extract", "do not run your script: put the function into a module file of its own"),
        ("own_rulez:extract", "there is no module 'own_rulez' (searched the current folder"),
        ("own_rules:extrakt", "module 'own_rules' has no 'extrakt'"),
        ("own_rules:CONSTANT", "is of type int; a function was expected"),
        ("own_rules:narrow", "does not take two arguments: (page, tree)"),
        ("own_rules:later", "is async"),
        ("needy:extract", "there is no module 'no_such_library' (imported by it)"),
        ("broken:extract", "importing 'broken' raised ZeroDivisionError: division by zero"),
        ("spelt:extract", "importing 'spelt' raised SyntaxError"),
        ("leaving:extract", "importing 'leaving' raised SystemExit: 5"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(folder: Path, path: str, message: str) -> None:
    (folder / "own_rules.py").write_text(SOURCE)
    (folder / "needy.py").write_text("import no_such_library")
    (folder / "broken.py").write_text("1 / 0")
    (folder / "spelt.py").write_text("def extract(")
    (folder / "leaving.py").write_text("raise SystemExit(5)")
    with pytest.raises(ConfigError) as caught:
        load_function(path)
    assert str(caught.value).startswith(f"parse.function: {path!r}")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value", [{}, {"a": None, "b": [1, 2.5, {"c": "d"}]}, {"a": date(2024, 1, 31), "b": Decimal("1.5")}]
)
def test_answers_that_a_row_can_hold(value: object) -> None:
    assert check_result(value) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "returned NoneType; a mapping"),
        ([("a", 1)], "returned list; a mapping"),
        ({1: "a"}, "returned the key 1; keys must be text"),
        ({"a": object()}, "returned under 'a' what no row can hold"),
        ({"a": "\ud800"}, "returned under 'a' what no row can hold"),
        ({"\ud800": 1}, "returned under '\\ud800' what no row can hold"),
    ],
)
def test_answers_that_it_cannot(value: object, message: str) -> None:
    complaint = check_result(value)
    assert complaint is not None
    assert message in complaint
