"""Absolute URLs of one page, by the WHATWG URL standard. Pure.

Resolving is among the most frequent things a worker does (a page has about a hundred links), so a page's answers are
remembered, and `can_ada` reads the base once.
"""

import re

import can_ada
from selectolax.lexbor import LexborHTMLParser

_SURROGATE = re.compile("[\ud800-\udfff]")


class Resolver:
    """Resolves the references of one page."""

    def __init__(self, tree: LexborHTMLParser, page_url: str) -> None:
        """Take the page's own URL and, where its first `<base href>` can be read, that as the base."""
        self._base = _base(tree, page_url)
        self._known: dict[str, str | None] = {}

    def resolve(self, reference: str) -> str | None:
        """The absolute URL of any scheme, its fragment kept; None where the standard finds none."""
        try:
            return self._known[reference]
        except KeyError:
            href = self._known[reference] = self._resolve(reference)
            return href

    def _resolve(self, reference: str) -> str | None:
        if self._base is None:
            return None
        try:
            return (self._base + reference).href
        except ValueError:
            return None


def _base(tree: LexborHTMLParser, page_url: str) -> can_ada.URL | None:
    try:
        page = can_ada.parse(page_url)
    except ValueError:
        return None
    node = tree.css_first("base[href]")
    href = node.attrs.get("href") if node else None
    if href is None:
        return page
    try:
        return page + href
    except ValueError:
        return page
