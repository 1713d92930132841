"""What earlier sessions of a run have made durable, read from the journal, and whether another may go on there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scraper.errors import SinkError
from scraper.journal import Commit, unpack_keys
from scraper.urls.seen import SeenSet

MADE_BY = "made_by"
"""The shape's key that names the command, where it was not `scraper run`: its rows and those of a run do not mix."""


@dataclass(slots=True)
class Done:
    """The URLs that have an outcome, and where the output files ended at the last commit."""

    number: int = 0
    """Of the last commit; 0 before the first."""
    files: dict[str, int] = field(default_factory=dict)
    """File name -> committed length in bytes."""
    totals: Counter[str] = field(default_factory=Counter)
    """Outcome -> number of URLs."""
    stale: dict[int, str] = field(default_factory=dict)
    """Key -> last outcome of the URLs whose earlier row or failure still stands in a file."""
    unswapped: tuple[str, ...] = ()
    """Files whose rewritten form was committed last, so that it may still bear another name."""
    _keys: dict[str, SeenSet] = field(default_factory=dict)
    _again: dict[int, str] = field(default_factory=dict)

    def outcome(self, key: int) -> str | None:
        """The last outcome of a URL, None where it has none yet."""
        if self._again and (outcome := self._again.get(key)):
            return outcome
        for outcome, keys in self._keys.items():
            if key in keys:
                return outcome
        return None

    def add(self, commit: Commit) -> None:
        """Take up the next commit."""
        self.number = commit.number
        self.files.update(commit.files)
        for name in commit.gone:
            self.files.pop(name, None)
        self.unswapped = tuple(commit.swapped)
        if commit.compacted:
            self.stale.clear()
        for outcome, packed in commit.outcomes.items():
            keys = self._keys.setdefault(outcome, SeenSet())
            for key in unpack_keys(packed):
                self.totals[outcome] += keys.add(key)
        for outcome, packed in commit.again.items():
            for key in unpack_keys(packed):
                self._replace(key, outcome)

    def _replace(self, key: int, outcome: str) -> None:
        before = self.outcome(key)
        if before is not None:
            self.totals[before] -= 1
        self.totals[outcome] += 1
        self._again[key] = self.stale[key] = outcome


def done_of(commits: Iterable[Commit]) -> Done:
    """The sum of all commits, oldest first."""
    done = Done()
    for commit in commits:
        done.add(commit)
    return done


def refuse_other_shape(before: dict[str, Any], now: dict[str, Any], folder: str) -> None:
    """Raise SinkError where rows of another form would be added to a file; it names what changed."""
    if before.get(MADE_BY) != now.get(MADE_BY):
        raise SinkError(
            f"{folder} holds the rows of {before.get(MADE_BY) or 'a run of your own'}: "
            "choose another folder with -o, or start over with --fresh"
        )
    changed = shape_changes(before, now)
    if changed:
        raise SinkError(
            f"{folder} holds rows of another form: {'; '.join(changed)}. Choose another folder with -o, "
            "undo the change, or start over with --fresh"
        )


def shape_changes(before: dict[str, Any], now: dict[str, Any], path: str = "") -> list[str]:
    """Each difference between two shapes, in words.

    >>> shape_changes({"format": "csv", "fields": {"a": 1}}, {"format": "jsonl", "fields": {"a": 1, "b": 2}})
    ['format was csv and is jsonl', 'fields.b was added']
    """
    changes: list[str] = []
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key), now.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            changes += shape_changes(old, new, f"{path}{key}.")
        elif key not in before:
            changes.append(f"{path}{key} was added")
        elif key not in now:
            changes.append(f"{path}{key} was removed")
        else:
            changes.append(f"{path}{key} was {old} and is {new}")
    return changes
