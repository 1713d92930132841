"""What the fuzzer found stays found: each kept input, and each seed, holds its harness's property."""

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

from fuzz import HARNESSES, shaping

CASES = Path(__file__).parent / "fuzz_cases"


def inputs() -> list[Any]:
    found = []
    for name in HARNESSES:
        harness = importlib.import_module(f"fuzz.{name}")
        found += [pytest.param(name, seed, id=f"{name}-seed-{n}") for n, seed in enumerate(harness.SEEDS)]
        found += [pytest.param(name, file.read_bytes(), id=f"{name}-{file.name}") for file in kept(name)]
    return found


def kept(name: str) -> list[Path]:
    return sorted(path for path in (CASES / name).glob("*") if path.is_file())


@pytest.mark.parametrize(("name", "data"), inputs())
def test_input_holds_the_property(name: str, data: bytes) -> None:
    importlib.import_module(f"fuzz.{name}").check(data)


def test_every_folder_of_kept_inputs_belongs_to_a_harness() -> None:
    assert {path.name for path in CASES.iterdir() if path.is_dir()} <= set(HARNESSES)
    assert {path.stem for path in Path(shaping.__file__).parent.glob("*.py")} == {
        "__init__", "__main__", "shaping", *HARNESSES,
    }  # fmt: skip


def test_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(shaping).failed == 0


def test_bound_on_time_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaping, "BOUND_S", -1.0)
    with pytest.raises(AssertionError, match="for one input"), shaping.bounded():
        pass
