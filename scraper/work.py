"""What one parse worker does with one page: undo its content coding, parse, encode. Parse and write meet here.

Imported in the worker processes by name, so nothing slow may be imported at the top.
"""

from collections.abc import Callable

from xxhash import xxh3_64_intdigest

from scraper.coding import decoded
from scraper.errors import PageOverdueError
from scraper.parse.heap import LARGE_BYTES, give_back
from scraper.parse.page import load_parser, parse_page
from scraper.parse.wire import sendable
from scraper.records import Fault, Page, Parsed, ParsePlan
from scraper.write.columns import DoesNotFitError
from scraper.write.encoders import page_encoder

BUILD = "scraper.work:build"
"""How a worker finds this file."""


def build(plan: ParsePlan) -> Callable[[Page], Parsed]:
    """The handler of a run's pages. Raises ConfigError where the plan cannot be carried out."""
    parser = load_parser(plan)
    encode = page_encoder(plan)

    def handle(page: Page) -> Parsed:
        parsed = attempt(page)
        if len(page.body) > LARGE_BYTES or parsed.kind == "too_large":
            give_back()
        return parsed

    def attempt(page: Page) -> Parsed:
        try:
            plain = decoded(page, plan.max_body)
            if isinstance(plain, Fault):
                return _failed(plain)
            row = parse_page(plain, parser)
            if isinstance(row, Fault):
                return _failed(row, encode(page, None))
            return Parsed(encode(page, row), content=xxh3_64_intdigest(plain.body, plan.salt))
        except MemoryError:
            return _failed(Fault("parse_memory", "the page needs more memory than parse.max_memory allows"))
        except DoesNotFitError as exc:
            return _failed(Fault("parse_crash", str(exc)))
        except PageOverdueError:
            raise
        except BaseException as exc:  # the stage's border: whatever a page provokes, a sys.exit() too, is its failure
            return _failed(Fault("parse_crash", _words(exc)))

    return handle


def _failed(fault: Fault, kept: bytes = b"") -> Parsed:
    return Parsed(kept or None, fault.kind, sendable(fault.message))


def _words(exc: BaseException) -> str:
    """The error in words, also where it cannot say them: its class is not ours."""
    name = type(exc).__name__
    try:
        return f"{name}: {exc}".removesuffix(": ")
    except Exception:
        return f"{name}, whose text cannot be had"
