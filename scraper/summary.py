"""The end of a session in figures: summary.json and the balance line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scraper.ledger import DUPLICATE, OK, Ledger
from scraper.limits import Limit


@dataclass(frozen=True, slots=True)
class Summary:
    """What a session did."""

    finished: bool
    """Every record that was read has its outcome; False where the run was interrupted and can be resumed."""
    input: int
    ok: int
    failures: dict[str, int]
    duplicates: int
    unfinished: int
    earlier: int
    """Records whose outcome an earlier session had made durable; they are part of ok and failures."""
    pages: int
    """Outcomes of this session."""
    seconds: float
    bytes: int
    """Of the bodies of this session's pages, as they were sent."""
    stood: dict[str, int] = field(default_factory=dict)
    """Rows of earlier sessions that --refresh saw after and left, by the reason: unchanged, or a kind of failure."""
    limits: Sequence[Limit] = ()
    """What limited the session, the longest first; none of one too short to tell."""
    limited: bool = False
    """--limit ended the reading: what the input holds behind it is left."""

    @property
    def failed(self) -> int:
        """Failures of every kind."""
        return sum(self.failures.values())

    @property
    def pages_per_s(self) -> float:
        """Outcomes of this session a second."""
        return self.pages / self.seconds if self.seconds else 0.0

    @property
    def did_nothing(self) -> bool:
        """True where all of the input had been done before."""
        return self.finished and self.input > 0 and not self.pages and not self.stood

    @property
    def balance(self) -> str:
        """The books on one line.

        >>> Summary(True, 5, 3, {"dns": 1}, 1, 0, 0, 4, 1.0, 0).balance
        'input 5 = 3 ok + 1 dns + 1 duplicate'
        """
        terms = [f"{self.ok:,} ok", *(f"{n:,} {kind}" for kind, n in self.failures.items())]
        if self.duplicates:
            terms.append(f"{self.duplicates:,} duplicate{'s' if self.duplicates > 1 else ''}")
        if self.unfinished:
            terms.append(f"{self.unfinished:,} unfinished")
        return f"input {self.input:,} = " + " + ".join(terms)

    def as_json(self, files: dict[str, str]) -> dict[str, Any]:
        """The content of summary.json."""
        return {
            "finished": self.finished,
            "limited": self.limited,
            "input": self.input,
            "ok": self.ok,
            "failed": self.failed,
            "failures": self.failures,
            "duplicates": self.duplicates,
            "unfinished": self.unfinished,
            "earlier": self.earlier,
            "stood": self.stood,
            "seconds": round(self.seconds, 3),
            "pages_per_s": round(self.pages_per_s, 1),
            "bytes": self.bytes,
            "limits": [limit.as_json() for limit in self.limits],
            "files": files,
        }


def summary_of(
    ledger: Ledger, seconds: float, pages_bytes: int, limit: int | None = None, limits: Sequence[Limit] = ()
) -> Summary:
    """The figures of a session whose output is closed. `limit`: URLs it was to take up, None = all."""
    outcomes = ledger.outcomes
    taken_up = ledger.settled.total() + ledger.open
    return Summary(
        finished=ledger.is_settled,
        input=ledger.input,
        ok=outcomes[OK],
        failures=ledger.failures,
        duplicates=ledger.duplicates + outcomes[DUPLICATE],
        unfinished=ledger.open,
        earlier=ledger.earlier.total(),
        pages=ledger.settled.total(),
        seconds=seconds,
        bytes=pages_bytes,
        stood=dict(ledger.stood.most_common()),
        limits=limits,
        limited=limit is not None and taken_up >= limit,
    )
