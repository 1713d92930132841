"""Which pages there are, and the files that say so: robots.txt, sitemaps, urls.txt. Pure; long files come in pieces.

Front pages (home and lists) come first, then product and article in turn, so that any first part of a list has both.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scraper.site.catalogue import published_at
from scraper.site.layout import list_href
from scraper.site.news import NEWS_PATH
from scraper.site.shop import ITEM_PREFIX, SHOP_PATH

LIST_LENGTH = 20
SITEMAP_LENGTH = 50_000  # sitemaps.org: a sitemap has at most 50,000 URLs
_LINES_PER_PIECE = 500
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


@dataclass(frozen=True, slots=True)
class PageMap:
    """The paths of a site with this many detail pages."""

    details: int

    @property
    def products(self) -> int:
        """Products are numbered from 1 to this."""
        return (self.details + 1) // 2

    @property
    def articles(self) -> int:
        """Articles are numbered from 1 to this; 0 = none."""
        return self.details // 2

    @property
    def front_paths(self) -> list[str]:
        """Home and all list pages."""
        shop = [list_href(SHOP_PATH, page) for page in range(1, list_pages(self.products) + 1)]
        news = [list_href(NEWS_PATH, page) for page in range(1, list_pages(self.articles) + 1)]
        return ["/", *shop, *news]

    @property
    def sitemaps(self) -> int:
        """How many sitemaps hold all pages; with more than one, /sitemap.xml is their index."""
        fronts = 1 + list_pages(self.products) + list_pages(self.articles)
        return -(-(fronts + self.details) // SITEMAP_LENGTH)

    @property
    def detail_paths(self) -> Iterator[str]:
        """All products and articles, in turn."""
        return map(self.detail_path, range(self.details))

    def detail_path(self, index: int) -> str:
        """The path of a detail page, 0 <= index < details."""
        number = index // 2 + 1
        return f"{ITEM_PREFIX}{number}" if index % 2 == 0 else f"{NEWS_PATH}{number}"

    def urls_txt(self, base: str) -> Iterator[bytes]:
        """Every detail URL, one a line, in pieces."""
        for start in range(0, self.details, _LINES_PER_PIECE):
            indexes = range(start, min(start + _LINES_PER_PIECE, self.details))
            yield "".join(f"{base}{self.detail_path(index)}\n" for index in indexes).encode()

    def sitemap(self, part: int, base: str) -> Iterator[bytes]:
        """The pages of one sitemap, 1 <= part <= sitemaps, in pieces."""
        front = self.front_paths
        start = (part - 1) * SITEMAP_LENGTH
        stop = min(start + SITEMAP_LENGTH, len(front) + self.details)
        yield f"{_XML}<urlset {_NAMESPACE}>\n".encode()
        for first in range(start, stop, _LINES_PER_PIECE):
            indexes = range(first, min(first + _LINES_PER_PIECE, stop))
            yield "".join(self._sitemap_entry(front, index, base) for index in indexes).encode()
        yield b"</urlset>\n"

    def sitemap_index(self, base: str) -> bytes:
        """The list of the parts."""
        parts = "".join(f"<sitemap><loc>{base}/sitemap-{n}.xml</loc></sitemap>\n" for n in range(1, self.sitemaps + 1))
        return f"{_XML}<sitemapindex {_NAMESPACE}>\n{parts}</sitemapindex>\n".encode()

    def _sitemap_entry(self, front: list[str], index: int, base: str) -> str:
        if index < len(front):
            return f"<url><loc>{base}{front[index]}</loc></url>\n"
        detail = index - len(front)
        path = self.detail_path(detail)
        if detail % 2 == 0:
            return f"<url><loc>{base}{path}</loc></url>\n"
        changed = published_at(detail // 2 + 1).date()
        return f"<url><loc>{base}{path}</loc><lastmod>{changed}</lastmod></url>\n"


def robots_txt(base: str) -> bytes:
    """Everything is allowed but /private/."""
    return f"User-agent: *\nDisallow: /private/\n\nSitemap: {base}/sitemap.xml\n".encode()


def list_pages(things: int) -> int:
    """How many list pages show this many things; an empty list still has its first page."""
    return max(1, -(-things // LIST_LENGTH))


def list_numbers(page: int, things: int) -> range:
    """The numbers of the things on a list page, 1-based."""
    return range((page - 1) * LIST_LENGTH + 1, min(page * LIST_LENGTH, things) + 1)
