"""Where a comparison was made, and what a reason is. Plain data."""

from dataclasses import dataclass
from typing import NamedTuple

GIL_MODELS = ("threads", "asyncio-threads")
APART = ("hybrid", "sharded", "processes")
"""Models whose pages are parsed in processes of their own."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it was measured, and on what."""

    python: str
    has_gil: bool
    cores: int
    hosts: int
    """Of the list."""
    function: str
    """parse.function, "" = none."""


class Reason(NamedTuple):
    """One reason, under a heading of a word or two."""

    about: str
    text: str
