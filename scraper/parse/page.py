"""One page from bytes to row: the order of a worker's work. Pure but for what the user's own function does.

is it HTML? ─► charset ─► tree ─► fields or default fields ─► article ─► function ─► row
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec.structs import replace
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, SelectolaxError

from scraper.parse.article import ArticleReader, load_article_reader
from scraper.parse.charset import decode
from scraper.parse.extract import extract
from scraper.parse.function import ParseFunction, check_result, load_function
from scraper.parse.links import Resolver
from scraper.parse.media import why_not_html
from scraper.parse.rules import Rules, compile_rules
from scraper.parse.structured import default_fields, page_language
from scraper.records import Fault, Page, ParsePlan

Row = dict[str, Any]

ROW_KEYS = ("url", "final_url", "status", "fetched_at", "close_delimited", "body_file")
"""What a row begins with; the fifth only where it is true, the last only where bodies are kept."""

_WITHOUT_EVENTS = int(LexborDocumentOptions.WO_EVENTS)
"""With events, a `select` of 20,000 options takes Lexbor 3 s, not 7 ms (each option has it look at all others), for a
`selectedcontent` that copies what the page says elsewhere. The crash of selectolax issue 217 was in that code too."""


@dataclass(frozen=True, slots=True)
class PageParser:
    """A plan with everything loaded and compiled, for one process."""

    rules: Rules
    article: ArticleReader | None = None
    function: ParseFunction | None = None
    function_path: str = ""


def load_parser(plan: ParsePlan) -> PageParser:
    """The parser of a plan. Raises ConfigError for a rule, function or extra that cannot be used."""
    return PageParser(
        compile_rules(plan.fields),
        load_article_reader() if plan.article else None,
        load_function(plan.function) if plan.function else None,
        plan.function or "",
    )


def parse_page(page: Page, parser: PageParser) -> Row | Fault:
    """The row of a page, its body plain, or why there is none: not_html, required_field, parse_crash, parse_memory."""
    try:
        return _parse(page, parser)
    except MemoryError:
        return Fault("parse_memory", "the page needs more memory than parse.max_memory allows", page.status)


def _parse(page: Page, parser: PageParser) -> Row | Fault:
    reason = why_not_html(page.body, page.content_type)
    if reason:
        return Fault("not_html", reason, page.status)
    html = decode(page.body, page.content_type)
    tree = _tree(html)
    fields = _fields(page, tree, parser)
    if isinstance(fields, Fault):
        return replace(fields, status=page.status)
    try:
        fields |= _article(page, html, tree, parser) | _from_function(page, tree, parser)
    except _CodeFailedError as exc:
        return Fault("parse_crash", str(exc), page.status)
    return _row(page, fields)


def _tree(html: str | bytes) -> LexborHTMLParser:
    try:
        return LexborHTMLParser(html, options=_WITHOUT_EVENTS)
    except SelectolaxError as exc:  # Lexbor takes any bytes for HTML: it only fails where it gets no memory
        raise MemoryError from exc


def _fields(page: Page, tree: LexborHTMLParser, parser: PageParser) -> Row | Fault:
    links = Resolver(tree, page.final_url)
    return extract(tree, parser.rules, links) if parser.rules.rules else default_fields(tree, links)


def _article(page: Page, html: str | bytes, tree: LexborHTMLParser, parser: PageParser) -> Row:
    reader = parser.article
    if reader is None:
        return {}
    return _guarded("trafilatura", lambda: reader(html, page.final_url, page_language(tree)))


def _from_function(page: Page, tree: LexborHTMLParser, parser: PageParser) -> Row:
    function = parser.function
    if function is None:
        return {}
    result = _guarded(parser.function_path, lambda: function(page, tree))
    complaint = check_result(result, ROW_KEYS)
    if complaint:
        raise _CodeFailedError(f"{parser.function_path} {complaint}")
    return dict(result)


class _CodeFailedError(Exception):
    """Code that is not ours failed on this page."""


T = TypeVar("T")


def _guarded(name: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except MemoryError:
        raise
    except Exception as exc:  # the border to code that is not ours: what it raises is this page's outcome
        raise _CodeFailedError(f"{name} raised {type(exc).__name__}: {exc}") from exc


def _row(page: Page, fields: Row) -> Row:
    """The row's own keys, the input's other columns, the fields.

    A column whose name is taken gets `input_` before it.
    """
    own: Row = {
        "url": page.url,
        "final_url": page.final_url,
        "status": page.status,
        "fetched_at": rfc3339(page.fetched_at),
    }
    if page.close_delimited:
        own["close_delimited"] = True
    if page.body_file is not None:
        own["body_file"] = page.body_file
    return {**own, **_free_names(page.extra or {}, own.keys() | fields.keys()), **fields}


def _free_names(columns: Mapping[str, Any], taken: Set[str]) -> Row:
    row: Row = {}
    for name, value in columns.items():
        while name in taken or name in row:
            name = f"input_{name}"
        row[name] = value
    return row


def rfc3339(seconds: float) -> str:
    """A moment in seconds since the epoch as RFC 3339 in UTC, to the millisecond.

    >>> rfc3339(0.5)
    '1970-01-01T00:00:00.500Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
