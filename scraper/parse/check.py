"""Whether a plan can be carried out, found out before anything is fetched. Runs in the main process."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

from scraper.errors import ConfigError
from scraper.parse.article import ARTICLE_FIELDS, EXTRA_HINT
from scraper.parse.function import load_function
from scraper.parse.rules import compile_rules
from scraper.records import ParsePlan


def check_plan(plan: ParsePlan) -> None:
    """Compile the rules, look for the extra, import the user's function; nothing is run.

    Raises one ConfigError that lists all that is wrong, one a line.
    """
    checks: list[Callable[[], object]] = [partial(compile_rules, [spec]) for spec in plan.fields]
    if plan.article:
        checks.append(partial(_check_article, plan))
    if plan.function:
        checks.append(partial(load_function, plan.function))
    wrong = [line for check in checks for line in _complaints(check)]
    if wrong:
        raise ConfigError("\n".join(wrong))


def _check_article(plan: ParsePlan) -> None:
    """The extra is looked for and not imported: that takes half a second, and only the workers need it."""
    if find_spec("trafilatura") is None:
        raise ConfigError(EXTRA_HINT)
    taken = [spec.name for spec in plan.fields if spec.name in ARTICLE_FIELDS]
    if taken:
        raise ConfigError(f"fields.{taken[0]}: parse.article gives a field of this name: choose another name")


def _complaints(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except ConfigError as exc:
        return str(exc).splitlines()
    return []
