"""Which model to choose, from what was measured. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from scraper.measure.compare.measured import Measured

CLOSE = 0.05
"""Models this near to the fastest are as good as it; there other things decide."""

PREFERENCE = {
    "hybrid": "a page that crashes the parser, hangs or eats memory hurts only itself, and one loop knows all hosts",
    "sharded": "a bad page hurts only itself; more memory than hybrid, and a redirect between sites costs a hop",
    "processes": "a bad page hurts only itself; the most memory, and no cookies",
    "asyncio": "the least memory and the fewest parts; a page that crashes the parser sets all under way back",
    "asyncio-threads": "as asyncio, with threads beside the loop",
    "threads": "as asyncio, with a thread for each request in flight",
}
"""Those preferred first where they are equally fast, with the reason: walls around a page go before a small size."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to choose."""

    model: str
    fastest: str
    close: tuple[str, ...]
    """Within CLOSE of the fastest, itself among them; those preferred first."""
    measured: int
    """Models that were."""
    noisy: tuple[str, ...]
    """Further away by their medians, and yet not told apart from the fastest by these rounds."""

    @property
    def reason(self) -> str:
        """Why it, in a line."""
        if len(self.close) == 1:
            return "the fastest" if self.measured > 1 else "the only one that was measured"
        others, within = ", ".join(name for name in self.close if name != self.model), f"within {CLOSE * 100:g} % of"
        if self.model == self.fastest:
            return f"the fastest; {others} came {within} it, and it goes before them because {PREFERENCE[self.model]}"
        return f"{within} the fastest; before {others} because {PREFERENCE[self.model]}"


def recommend(models: Mapping[str, Measured]) -> Choice:
    """The choice among at least one model: the fastest, or of those within CLOSE of it the first by PREFERENCE."""
    fastest = max(models.values(), key=lambda each: each.pages_per_s.median)
    least = fastest.pages_per_s.median * (1 - CLOSE)
    close = [name for name in PREFERENCE if name in models and models[name].pages_per_s.median >= least]
    noisy = [
        name for name, each in models.items() if name not in close and each.pages_per_s.overlaps(fastest.pages_per_s)
    ]
    return Choice(close[0], fastest.model, tuple(close), len(models), tuple(noisy))
