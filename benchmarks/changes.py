"""What became slower since the figures that stand in the documentation. Pure."""

from benchmarks.results import Case, Report, middle

MORE = 1.1
"""Less is noise, even on a machine that does nothing else."""


def slower(before: Report | None, now: Report) -> list[str]:
    """A line for each case that takes more than a tenth more CPU a page, or gives as many fewer pages a second.

    Where all contenders are named it is the machine that is slower, and not the code.
    """
    pairs = [(before.case(case.name), case) for case in now.cases] if before is not None else []
    return [line for old, new in pairs if old is not None and (line := _line(old, new))]


def _line(old: Case, new: Case) -> str:
    cpu, was_cpu = middle(new.cpu_ms), middle(old.cpu_ms)
    rate, was_rate = middle(new.pages_per_s), middle(old.pages_per_s)
    found = [f"{cpu:.3f} ms of CPU a page, was {was_cpu:.3f}"] if cpu > was_cpu * MORE else []
    found += [f"{rate:,.0f} pages/s, was {was_rate:,.0f}"] if rate * MORE < was_rate else []
    return f"slower: {new.name}: {'; '.join(found)}" if found else ""
