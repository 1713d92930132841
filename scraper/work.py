"""What one parse worker does with one page: undo its content coding, parse, encode. Parse and write meet here.

Imported in the worker processes by name, so nothing slow may be imported at the top.
"""

from collections.abc import Callable

from scraper.coding import decoded
from scraper.parse.page import load_parser, parse_page
from scraper.parse.wire import sendable
from scraper.records import FailureKind, Fault, Page, Parsed, ParsePlan
from scraper.write.encode import row_encoder

BUILD = "scraper.work:build"
"""How a worker finds this file."""


def build(plan: ParsePlan) -> Callable[[Page], Parsed]:
    """The handler of a run's pages. Raises ConfigError where the plan cannot be carried out."""
    parser = load_parser(plan)
    encode = row_encoder(plan.format, plan.columns)

    def handle(page: Page) -> Parsed:
        try:
            plain = decoded(page, plan.max_body)
            row = plain if isinstance(plain, Fault) else parse_page(plain, parser)
            if isinstance(row, Fault):
                return _failed(row.kind, row.message)
            return Parsed(encode(row))
        except MemoryError:
            return _failed("parse_memory", "the page needs more memory than parse.max_memory allows")
        except BaseException as exc:  # the stage's border: whatever a page provokes, a sys.exit() too, is its failure
            return _failed("parse_crash", _words(exc))

    return handle


def _failed(kind: FailureKind, message: str) -> Parsed:
    return Parsed(None, kind, sendable(message))


def _words(exc: BaseException) -> str:
    """The error in words, also where it cannot say them: its class is not ours."""
    name = type(exc).__name__
    try:
        return f"{name}: {exc}".removesuffix(": ")
    except Exception:
        return f"{name}, whose text cannot be had"
