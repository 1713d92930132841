"""Why one model differs from another in what it copies, shares, starts, holds and keeps apart: in words. Pure."""

from collections.abc import Iterator, Mapping

from scraper.measure.compare.measured import Measured
from scraper.measure.compare.recommend import Choice
from scraper.measure.compare.scene import APART, GIL_MODELS, Reason, Scene
from scraper.measure.page.figures import duration, short, size

MUCH_LATER = 2.0
"""Times as long until the first row that are worth a word."""
LATER_S = 0.5
MUCH_MORE = 1.5
"""Times as much memory."""


def copies(models: Mapping[str, Measured]) -> Iterator[Reason]:
    """What crosses a process border."""
    told = []
    hybrid = models.get("hybrid")
    if hybrid is not None:
        moved = hybrid.page_bytes * hybrid.ok
        told.append(
            f"hybrid sends each page to a worker and takes the row back ({size(hybrid.page_bytes)} a page, "
            f"{size(moved)} in a trial)"
        )
    if names := [name for name in ("sharded", "processes") if name in models]:
        told.append(f"{' and '.join(names)} {_verb(names, 'sends', 'send')} rows only")
    if names := [name for name in ("asyncio", *GIL_MODELS) if name in models]:
        told.append(
            f"{', '.join(names)} {_verb(names, 'shares', 'share')} memory and {_verb(names, 'copies', 'copy')} nothing"
        )
    if told:
        yield Reason("data copied", "; ".join(told))


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many


def function(models: Mapping[str, Measured], scene: Scene) -> Iterator[Reason]:
    """What a user's function may and may not do, by where it runs."""
    if not scene.function:
        return
    together = [name for name in ("asyncio", *GIL_MODELS) if name in models]
    apart = [name for name in APART if name in models]
    told = [
        f"{scene.function} is imported by its name where it runs and never pickled: a lambda or a function inside a "
        "function has no such name, and what it returns must be what JSON knows"
    ]
    if apart:
        told.append(f"in {', '.join(apart)} each process has its own copy of the module's caches and counters")
    if together:
        told.append(f"in {', '.join(together)} there is one, which threads must guard")
    yield Reason("your function", "; ".join(told))


def start(models: Mapping[str, Measured], choice: Choice) -> Iterator[Reason]:
    """Who is late with the first row."""
    chosen = models[choice.model].first_row_s
    if chosen is None:
        return
    late = [
        f"{each.model} {duration(each.first_row_s.median)} ({each.processes} interpreters to start)"
        for each in models.values()
        if each.first_row_s is not None
        and each.first_row_s.median > max(MUCH_LATER * chosen.median, chosen.median + LATER_S)
    ]
    if late:
        text = f"the first row came after {duration(chosen.median)} with {choice.model}, with {', with '.join(late)}"
        yield Reason(
            "start", f"{text}; pages/s count from the first row on, so a short list takes longer than they say"
        )


def memory(models: Mapping[str, Measured], choice: Choice) -> Iterator[Reason]:
    """Who takes much more than another."""
    known = {name: each.peak_bytes.median for name, each in models.items() if each.peak_bytes is not None}
    if choice.model not in known or len(known) < 2:
        return
    least, most = (each(known, key=lambda name: known[name]) for each in (min, max))
    if known[most] > MUCH_MORE * known[least]:
        text = f"from {size(known[least])} with {least} to {size(known[most])} with {most}"
        yield Reason("memory", f"{text}; {choice.model} takes {size(known[choice.model])}")


def apart(models: Mapping[str, Measured], choice: Choice) -> Iterator[Reason]:
    """What is given up with a model that has no walls."""
    if choice.model in APART:
        return
    text = f"in {choice.model} a page that crashes the parser, or hangs in it, sets all pages under way back"
    instead = max((models[name] for name in APART if name in models), key=lambda e: e.pages_per_s.median, default=None)
    if instead is not None:
        gives = instead.pages_per_s.median / models[choice.model].pages_per_s.median
        text += f": {instead.model} keeps pages apart, at {short(gives * 100)} % of the speed"
    yield Reason("bad pages", text)
