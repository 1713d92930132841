"""The project's own files: locks that install anywhere, one version everywhere, chores that are there."""

import re
import tomllib
from pathlib import Path

import pytest

from scraper.config.sections import PRODUCT

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("run.txt", "dev.txt")

PINNED = re.compile(r"^([a-z0-9-]+)==([^ ]+)( ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def locked(lock: str) -> dict[str, str]:
    """Name -> version of every package in a lock."""
    lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for match in map(PINNED.match, lines) if match}


def normal(requirement: str) -> str:
    """The package's name as locks write it."""
    return re.split(r"[<>=;\[ ~!]", requirement)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_versions_and_hashes_and_nothing_else(lock: str) -> None:
    lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
    strange = [line for line in lines if not PINNED.match(line) and not HASH.match(line)]
    assert not strange, "no index, path, option or comment belongs in a lock: make lock"
    assert len(locked(lock)) > 20


def test_every_dependency_is_locked() -> None:
    groups = PROJECT["dependency-groups"]
    run = PROJECT["project"]["dependencies"] + groups["build"]
    dev = run + groups["dev"] + PROJECT["project"]["optional-dependencies"]["article"]
    assert {normal(name) for name in run} <= locked("run.txt").keys(), "make lock"
    assert {normal(name) for name in dev} <= locked("dev.txt").keys(), "make lock"


def test_both_locks_agree_because_they_share_one_environment() -> None:
    assert locked("run.txt").items() <= locked("dev.txt").items()


def test_version_is_the_same_everywhere() -> None:
    version = PROJECT["project"]["version"]
    assert f"hybrid-scraper/{version}".startswith(f"{PRODUCT}.")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[?([^\]\n ]+)", changes, re.MULTILINE)
    assert headings[:1] == ["Unreleased"]
    assert version in headings or headings == ["Unreleased"], "the released version needs its heading in CHANGELOG.md"


@pytest.mark.parametrize("chore", ["demo", "test", "check", "lint", "format", "lock", "clean"])
def test_chore_is_in_the_makefile(chore: str) -> None:
    assert re.search(rf"^{chore}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_each_installation_is_made_anew_when_what_it_compiles_has_changed() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    sources = re.search(r"^NATIVE := (.+)$", makefile, re.MULTILINE)
    assert sources is not None
    assert all((ROOT / source).is_file() for source in sources[1].split())
    assert {*map(str, (ROOT / "scraper/parse").glob("_*.[ch]"))} == {
        str(ROOT / name) for name in sources[1].split()[:-1]
    }
    stamps = re.findall(r"^\$\(VENV\)/\w+\.stamp:(.*)\|", makefile, re.MULTILINE)
    assert len(stamps) == 4
    assert all("$(NATIVE)" in needed for needed in stamps)


def test_ci_runs_the_chores_that_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o100, ".ci/run must be executable"
    assert script.read_text(encoding="utf-8").splitlines()[-2:] == ["make check", "make test"]
