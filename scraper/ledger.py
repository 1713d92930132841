"""The count of every input record, in one place: what came in, what became of it, and when the run is at its end.

    input = earlier + duplicates + open + settled        settled = ok + failures by kind
                                                         settled >= durable (committed by the writer)

Pure counting; belongs to the loop's thread.
"""

from collections import Counter
from dataclasses import dataclass, field

OK = "ok"
DUPLICATE = "duplicate"
"""The outcome of a URL whose page had come under another one, where `write.dedupe` looks for such."""
UNCHANGED = "unchanged"
"""Why the row of an earlier session stands: the page is the same. Other reasons are kinds of failures."""


@dataclass(slots=True)
class Ledger:
    """The balance of a run."""

    input: int = 0
    """Records read from the sources."""
    duplicates: int = 0
    """Records whose URL had come before in this input; they share its outcome."""
    earlier: Counter[str] = field(default_factory=Counter)
    """Outcomes that an earlier session of this run had made durable, by kind, of records read now."""
    stood: Counter[str] = field(default_factory=Counter)
    """Rows of earlier sessions that were seen after and stand, by the reason; they are in `earlier` too."""
    settled: Counter[str] = field(default_factory=Counter)
    """Outcomes handed to the writer, by kind."""
    durable: int = 0
    """Outcomes that the writer has committed."""
    open: int = 0
    """Accepted and without an outcome so far."""
    is_exhausted: bool = False
    """No further record will be read."""

    def accept(self) -> None:
        """A record of a new URL, which must be settled once."""
        self.open += 1

    def settle(self, outcome: str) -> None:
        """A record's outcome went to the writer."""
        self.open -= 1
        self.settled[outcome] += 1

    def stand(self, why: str) -> None:
        """The row that an earlier session wrote for a record stays its outcome."""
        self.open -= 1
        self.earlier[OK] += 1
        self.stood[why] += 1

    @property
    def is_settled(self) -> bool:
        """True at the end: nothing more comes, nothing is open."""
        return self.is_exhausted and not self.open

    @property
    def outcomes(self) -> Counter[str]:
        """All outcomes of this input so far, earlier sessions included, by kind."""
        return self.earlier + self.settled

    @property
    def failures(self) -> dict[str, int]:
        """Failed URLs by kind, most frequent first."""
        return {kind: n for kind, n in self.outcomes.most_common() if kind not in (OK, DUPLICATE)}

    @property
    def unfinished(self) -> int:
        """Records that have no durable outcome yet."""
        return self.open + self.settled.total() - self.durable

    def imbalance(self) -> str | None:
        """Why the books of an ended run do not close; None when they do."""
        counted = self.outcomes.total() + self.duplicates + self.open
        if counted != self.input:
            return f"{self.input} records came in, {counted} are accounted for"
        if self.is_settled and self.durable != self.settled.total():
            return f"{self.settled.total()} outcomes were settled, {self.durable} were written"
        return None
