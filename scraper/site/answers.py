"""What the site answers to a request, faults included; app.py waits and sends. Pure but for the memory of tries."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import parse_qsl

from scraper.site.faults import PASSING_FAULTS, Turns, delay_of, fault_of, fault_shares
from scraper.site.layout import Head, document
from scraper.site.news import NEWS_PATH, News
from scraper.site.options import FaultName, SiteOptions
from scraper.site.pagemap import PageMap, list_numbers, list_pages, robots_txt
from scraper.site.seeded import uniform
from scraper.site.shop import ITEM_PREFIX, SHOP_PATH, Shop

READY_BYTES = 32 << 20
"""Pages rendered ahead at most, together: 5,000 of natural size."""

_HTML = b"text/html; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"
_XML = b"application/xml; charset=utf-8"
_DETAIL = re.compile(r"(/shop/item/|/news/)([1-9][0-9]{0,8})")
_SITEMAP_PART = re.compile(r"/sitemap-([1-9][0-9]{0,4})\.xml")
_IMAGE = re.compile(r"/images/(?:shop|news)-[1-9][0-9]{0,8}\.svg")
_PAGE = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    body: bytes | Iterator[bytes]
    """The whole body, or its pieces where it may be long."""
    content_type: bytes = _HTML
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Beside Content-Type and Content-Length."""
    cut: bool = False
    """Promise the whole body, send half and close the connection."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a request will be met, known before the answer is made."""

    is_detail: bool
    """Whether the path is that of a product or article that exists."""
    fault: FaultName | None
    delay_s: float


class Site:
    """The whole site of some options. The memory of tries is its only changing state."""

    def __init__(self, options: SiteOptions) -> None:
        """Ready to answer; nothing is rendered ahead."""
        self._options = options
        self._map = PageMap(options.pages)
        self._shop = Shop(options.seed, self._map.products, options.size_bytes)
        self._news = News(options.seed, self._map.articles, options.size_bytes)
        self._turns = Turns()
        self._shares = fault_shares(options)
        self._fixed = self._fixed_answers()
        self._ready: dict[tuple[str, str], bytes] = {}

    def render_ahead(self, base: str, limit_bytes: int = READY_BYTES) -> None:
        """Make the first detail pages for this base now, up to so many bytes of them.

        A page made ahead is served three times as fast. It happens before the first request and never later, so that
        the first run over the site is served like all others.
        """
        held_bytes = 0
        for path in self._map.detail_paths:
            body = self._render(path, base)
            held_bytes += len(body)
            if held_bytes > limit_bytes:
                return
            self._ready[path, base] = body

    def plan(self, path: str) -> Plan:
        """How a path will be met; the same at every try. Only detail pages have faults."""
        is_detail = self._is_detail(path)
        fault = fault_of(self._shares, self._options.seed, path) if is_detail else None
        return Plan(is_detail, fault, delay_of(self._options, path, fault))

    def answer(self, plan: Plan, path: str, query: str, base: str) -> Answer:
        """The answer to GET; `base` is scheme and host as the client named them, fit for HTML."""
        if not plan.is_detail:
            return self._plain_answer(path, query, base)
        if plan.fault is None or plan.fault == "slow":
            return self._detail_answer(path, base)
        if plan.fault in PASSING_FAULTS and not self._turns.take_turn(path):
            return self._detail_answer(path, base)
        return self._faulty_answer(plan.fault, path, query, base)

    def _is_detail(self, path: str) -> bool:
        found = _DETAIL.fullmatch(path)
        if found is None:
            return False
        return int(found[2]) <= (self._map.products if found[1] == ITEM_PREFIX else self._map.articles)

    def _detail_answer(self, path: str, base: str) -> Answer:
        return Answer(self._ready.get((path, base)) or self._render(path, base))

    def _render(self, path: str, base: str) -> bytes:
        prefix, _, number = path.rpartition("/")
        html = self._shop.item_html if f"{prefix}/" == ITEM_PREFIX else self._news.article_html
        return html(int(number), base)

    def _faulty_answer(self, fault: FaultName, path: str, query: str, base: str) -> Answer:
        if fault == "not_found":
            return not_found(base)
        if fault == "rate_limited":
            wait = (b"retry-after", b"1")
            return replace(_message(base, 429, "Too many requests", "Come back in a second."), headers=(wait,))
        if fault == "flaky":
            return _message(base, 500, "Server error", "This try failed; the next one will not.")
        if fault == "cut":
            return replace(self._detail_answer(path, base), cut=True)
        if "moved=1" in query.split("&"):
            return self._detail_answer(path, base)
        location = (b"location", f"{path}?moved=1".encode())
        return replace(_message(base, 302, "Found", "This page has moved."), headers=(location,))

    def _plain_answer(self, path: str, query: str, base: str) -> Answer:
        if make := self._fixed.get(path):
            return make(query, base)
        if part := _SITEMAP_PART.fullmatch(path):
            return self._sitemap_part(int(part[1]), base)
        if _IMAGE.fullmatch(path):
            return Answer(_picture(path), b"image/svg+xml")
        return not_found(base)

    def _fixed_answers(self) -> dict[str, Callable[[str, str], Answer]]:
        """Path -> what makes its answer from query and base."""
        return {
            "/": lambda _, base: self._home(base),
            SHOP_PATH: lambda query, base: self._list(SHOP_PATH, query, base),
            NEWS_PATH: lambda query, base: self._list(NEWS_PATH, query, base),
            "/robots.txt": lambda _, base: Answer(robots_txt(base), _TEXT),
            "/urls.txt": lambda _, base: Answer(self._map.urls_txt(base), _TEXT),
            "/sitemap.xml": lambda _, base: self._sitemap(base),
            "/private/": lambda _, base: _private(base),
        }

    def _home(self, base: str) -> Answer:
        head = Head("Home", "A shop and a newspaper to practise on.", canonical=f"{base}/")
        main = (
            "<h1>Fell &amp; Harbour</h1>\n<ul>"
            f'<li><a href="{SHOP_PATH}">Shop: {self._map.products} products</a></li>'
            f'<li><a href="{NEWS_PATH}">News: {self._map.articles} articles</a></li></ul>'
        )
        return Answer(document(head, main))

    def _list(self, path: str, query: str, base: str) -> Answer:
        things = self._map.products if path == SHOP_PATH else self._map.articles
        page, pages = _page_of(query), list_pages(things)
        if page is None or page > pages:
            return not_found(base)
        html = self._shop.list_html if path == SHOP_PATH else self._news.list_html
        return Answer(html(page, pages, list_numbers(page, things), base))

    def _sitemap(self, base: str) -> Answer:
        one = self._map.sitemaps == 1
        return Answer(self._map.sitemap(1, base) if one else self._map.sitemap_index(base), _XML)

    def _sitemap_part(self, part: int, base: str) -> Answer:
        if self._map.sitemaps == 1 or part > self._map.sitemaps:
            return not_found(base)
        return Answer(self._map.sitemap(part, base), _XML)


def not_found(base: str) -> Answer:
    """The page for a path that is not there."""
    return _message(base, 404, "Not found", "There is no such page.")


def not_allowed(base: str) -> Answer:
    """The page for any method but GET and HEAD."""
    message = _message(base, 405, "Method not allowed", "This site can only be read.")
    return replace(message, headers=((b"allow", b"GET, HEAD"),))


def _message(base: str, status: int, title: str, text: str) -> Answer:
    head = Head(title, text, canonical=f"{base}/")
    return Answer(document(head, f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>"), status=status)


def _private(base: str) -> Answer:
    return _message(base, 200, "Staff only", "robots.txt asks robots to stay away from here.")


def _page_of(query: str) -> int | None:
    """The list page that a query asks for, 1 where it names none, None where it makes no sense."""
    text = dict(parse_qsl(query, keep_blank_values=True)).get("page", "1")
    return int(text) if _PAGE.fullmatch(text) else None


def _picture(path: str) -> bytes:
    hue = int(360 * uniform(0, "picture", path))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">'
        f'<rect width="320" height="240" fill="hsl({hue},40%,60%)"/></svg>'
    ).encode()
