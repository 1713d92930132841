"""What a reader of a comparison should know before believing its figures. Pure."""

from collections.abc import Iterator, Mapping

from scraper.measure.compare.measured import Measured
from scraper.measure.compare.recommend import Choice
from scraper.measure.page.figures import duration, share

MUCH_SERVER = 0.2
"""Of the machine that the server takes: then the models are compared on what it leaves."""
MUCH_OTHERS = 0.15
"""Of the machine that other programs take."""
SHORT_S = 1.0
"""Of work in a trial: less is a matter of chance."""
UNSTEADY = 0.2
"""Of the median, to either side, that a speed may vary before it is worth a word."""


def doubts(models: Mapping[str, Measured], choice: Choice, server: float, others: float) -> Iterator[str]:
    """A sentence for each doubt.

    `server`: the greatest share of the machine that the server of the pages took in a trial, `others`: the one that
    programs took which are no part of it.
    """
    fastest = models[choice.fastest]
    if others > MUCH_OTHERS:
        yield f"Other programs took up to {share(others)} of this machine meanwhile: compare when it is quiet"
    if server > MUCH_SERVER:
        yield (
            f"The server of the pages took up to {share(server)} of this machine, and the models had what it left: one "
            "on another machine would leave them more"
        )
    if fastest.working_s < SHORT_S:
        yield (
            f"A trial of {choice.fastest} worked for {duration(fastest.working_s)} only: more URLs give surer figures "
            "(--limit, or --pages of the practice site)"
        )
    unsteady = [name for name, each in models.items() if each.rounds > 1 and each.pages_per_s.share > UNSTEADY]
    if unsteady:
        yield (
            f"The speed of {', '.join(unsteady)} varied by more than {share(UNSTEADY)} from round to round: more "
            "--rounds tell more"
        )
    if choice.noisy:
        yield f"Not told apart from the fastest by these rounds: {', '.join(choice.noisy)}"
    failed = max(each.pages - each.ok for each in models.values())
    if failed:
        yield f"{failed:,} of the URLs fail: a failure counts as a page here, though it costs less"
