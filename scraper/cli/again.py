"""What `scraper run` is asked to do once more: the words of --retry-failed, and which options exclude each other."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_args

from scraper.errors import UsageError

OPTION = "--retry-failed"
ALL = "all"


def with_its_value(arguments: list[str]) -> list[str]:
    """The command line with the value that a bare `--retry-failed` stands for: what follows it is a source.

    >>> with_its_value(["run", "--retry-failed", "list.txt"])
    ['run', '--retry-failed=all', 'list.txt']
    """
    return [f"{OPTION}={ALL}" if word == OPTION else word for word in arguments]


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds of failures that `--retry-failed=...` names; () for all that another try may change.

    Raises UsageError for a kind that is none, and for one that another try cannot change.
    """
    from scraper.records import FailureKind
    from scraper.revisit import NEVER_RETRIED

    known: tuple[str, ...] = get_args(FailureKind)
    kinds = tuple(filter(None, (part.strip() for part in text.split(","))))
    if kinds in ((), (ALL,)):
        return ()
    for kind in kinds:
        if kind not in known:
            near = get_close_matches(kind, known, n=1)
            raise UsageError(f"{OPTION}={text}: {kind!r} is no kind of failure; {_hint(near, known)}")
        if kind in NEVER_RETRIED:
            raise UsageError(f"{OPTION}={text}: another try cannot change {kind}: mend the lines in the list")
    return kinds


def _hint(near: list[str], known: tuple[str, ...]) -> str:
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"


def refuse_together(options: Mapping[str, bool]) -> None:
    """Raise UsageError where more than one of the options is set: each asks for another work."""
    given = [name for name, is_given in options.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot go together: run one after the other")
