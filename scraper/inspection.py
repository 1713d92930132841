"""A look at one page: how it was fetched and read, what each rule finds. What `scraper inspect` shows."""

import asyncio
import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from scraper.budget import ByteBudget
from scraper.coding import decoded
from scraper.config import Config, byte_budget
from scraper.errors import ScraperError, SourceError, first_of
from scraper.fetch.client import Client
from scraper.fetch.hops import next_hop
from scraper.models.blueprint import Blueprint
from scraper.models.hybrid import behind_wall
from scraper.parse.charset import decide_charset, decode
from scraper.parse.check import check_plan
from scraper.parse.page import load_parser, parse_page
from scraper.records import FailureKind, Fault, FieldSpec, Job, Page, Parsed, ParsePlan, Redirect, SourceLine
from scraper.urls.canonical import target_from
from scraper.urls.permits import first_hop

HARMFUL: frozenset[FailureKind] = frozenset({"parse_crash", "parse_timeout", "parse_memory"})
"""What a page does that is not to be parsed in this process."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One request on the way to the page."""

    url: str
    answer: str
    """Status, or what went wrong."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule finds."""

    name: str
    css: str
    matches: int | None
    """None for a field that no selector of the config asks for."""
    value: Any


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that is known of one page; `page` is None where there is none, `fault` says why there is no row."""

    hops: list[Hop]
    page: Page | None
    charset: str
    found: list[Found]
    fault: Fault | None


async def inspect_url(config: Config, url: str) -> Inspection:
    """Fetch one page as a run would, without retries, and parse it. Raises SourceError for no URL."""
    target = target_from(SourceLine(url))
    if isinstance(target, Fault):
        raise SourceError(f"{target.message} (scraper inspect takes one URL, or one file that exists)")
    hops: list[Hop] = []
    async with Client(config.fetch, config.politeness, config.network) as client:
        answer = await _follow(config, client, first_hop(target), hops)
    page = decoded(answer, config.fetch.max_body) if isinstance(answer, Page) else answer
    if isinstance(page, Fault):
        return Inspection(hops, None, "", [], page)
    return await inspect_page(config, page, hops)


async def inspect_page(config: Config, page: Page, hops: list[Hop]) -> Inspection:
    """Parse a page that is at hand, its body plain. Raises ConfigError for a rule or function that cannot be used.

    A worker process is first, as in a run. A page that it comes back from is parsed here once more, for all there is
    to tell, and what it prints is not shown twice.
    """
    plan = config.parse_plan()
    check_plan(plan)
    parsed = await _parsed_apart(config, page)
    if parsed.kind is not None and parsed.kind in HARMFUL:
        fault = Fault(parsed.kind, parsed.message, page.status)
        return Inspection(hops, page, decide_charset(page.body, page.content_type), [], fault)
    with redirect_stdout(io.StringIO()):
        return _looked_at(plan, page, hops)


def _looked_at(plan: ParsePlan, page: Page, hops: list[Hop]) -> Inspection:
    row = parse_page(page, load_parser(plan))
    tree = LexborHTMLParser(decode(page.body, page.content_type))
    specs = {spec.name: spec for spec in plan.fields}
    fault = row if isinstance(row, Fault) else None
    values = {} if isinstance(row, Fault) else row
    names = dict.fromkeys([*specs, *values])
    found = [_found(name, specs.get(name), tree, values.get(name)) for name in names]
    return Inspection(hops, page, decide_charset(page.body, page.content_type), found, fault)


async def _parsed_apart(config: Config, page: Page) -> Parsed:
    """The outcome of a page in a process of its own, which it may harm."""
    came: asyncio.Future[Parsed] = asyncio.get_running_loop().create_future()
    open_pool = behind_wall(Blueprint(config, config.parse_plan()))
    try:
        async with open_pool(lambda results: came.set_result(results[0][1])) as pool:
            pool.submit(0, page)
            return await came
    except* ScraperError as group:
        raise first_of(group) from None


async def _follow(config: Config, client: Client, job: Job, hops: list[Hop]) -> Page | Fault:
    """The page at the end of the redirects. What would be retried is not: one look, one answer."""
    budget = ByteBudget(byte_budget(config))
    while True:
        answer = await client.fetch(job, budget.reserve())
        hops.append(Hop(job.url, _answer_text(answer)))
        if isinstance(answer, Page):
            return answer
        step = next_hop(job, answer, config.fetch.max_redirects) if isinstance(answer, Redirect) else answer
        if isinstance(step, Fault):
            return step
        job = step


def _answer_text(answer: Page | Redirect | Fault) -> str:
    match answer:
        case Page():
            size = f"{len(answer.body):,} bytes{' of ' if answer.coding else ''}{answer.coding}"
            return f"{answer.status}, {size}, {answer.content_type or 'no Content-Type'}"
        case Redirect():
            return f"{answer.status} to {answer.location}"
        case Fault():
            return f"{answer.kind}: {answer.message}"


def _found(name: str, spec: FieldSpec | None, tree: LexborHTMLParser, value: Any) -> Found:
    if spec is None:
        return Found(name, "", None, value)
    return Found(name, spec.css, len(tree.css(spec.css)), value)
