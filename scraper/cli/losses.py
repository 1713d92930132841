"""What a guardian makes of the end of its run: whether another goes on, and which pages are suspected. Pure."""

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CRASHES = frozenset(
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGKILL")
    if hasattr(signal, name)
)
"""Ends that a page may have caused. Whoever sends another signal wants the run to end."""
MOST_SUSPECTS = 8
"""Where more pages are suspected, all are."""
BARREN = 3
"""A run that so many times in a row dies of no page, each time soon, is given up."""
LONG_S = 60.0


@dataclass(slots=True)
class Losses:
    """How often a run was lost, and the pages that are suspected of it."""

    suspects: set[bytes] = field(default_factory=set)
    newest: list[bytes] = field(default_factory=list)
    """Those of the last loss."""
    barren: int = 0
    """Losses in a row that no page is suspected of."""

    @property
    def are_many(self) -> bool:
        """So many suspects that every page is one."""
        return len(self.suspects) > MOST_SUSPECTS

    def add(self, blamed: Iterable[bytes], lived_s: float) -> bool:
        """Note a loss: whom the board blames, how long the run had lived. Gives whether to begin again."""
        self.newest = [] if self.are_many else [url for url in blamed if url not in self.suspects]
        self.suspects.update(self.newest)
        self.barren = 0 if self.newest or lived_s > LONG_S else self.barren + 1
        return self.barren < BARREN

    def words(self, why: str) -> str:
        """What happened, and what becomes of it, on one line. `why`: "crashed (SIGSEGV)"."""
        if self.barren >= BARREN:
            return (
                f"the run {why}, {BARREN} times in a row, and no page is to blame: what is written is safe, the same "
                'command resumes; run.model = "hybrid" may tell more'
            )
        if not self.newest:
            return f"the run {why}: it begins again where it was"
        first, others = self.newest[0].decode("utf-8", "replace"), len(self.newest) - 1
        which = f"{first} or {others} more" if others else first
        what = "all pages go" if self.are_many else "what was in parse goes"
        return f"the run {why}, perhaps of {which}: it begins again where it was, and {what} to a process apart"


@dataclass(slots=True)
class Overdue:
    """Tells when a page is in parse for too long. Counts only time in which the run could run."""

    limit_s: float
    _ages: Mapping[tuple[int, float], float] = field(default_factory=dict)

    def look(self, in_parse: Iterable[tuple[int, float]], passed_s: float) -> bool:
        """`in_parse`: where and since when, as the board tells it. `passed_s`: since the last look."""
        self._ages = {page: self._ages.get(page, -passed_s) + passed_s for page in in_parse}
        return any(age > self.limit_s for age in self._ages.values())
