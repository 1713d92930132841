"""Absolute URLs of one page, by the WHATWG URL standard. Pure.

Resolving is the most frequent thing a worker does: a page has about a hundred links. `can_ada` takes about 1 us for
each, so a page's answers are remembered, and a plain reference (nothing to encode, no dot segments behind its leading
`../`) is only joined to its part of the base, in a third of the time; that is what the standard makes of it too.

Those are the short ways in Python. For whole lists of elements the same ways in C (`_links.c`) take their place where
they were built and pass a trial.
"""

import re
from typing import TYPE_CHECKING

import can_ada
from selectolax import lexbor
from selectolax.lexbor import LexborHTMLParser, LexborNode

if TYPE_CHECKING:
    from scraper.parse._native import Links

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w~!$&()*+,;=@\-.?#]*(?:/(?!\.)[\w~!$&()*+,;=@\-.?#]*)*", re.ASCII)
"""A reference that begins with a name, of characters that no part of a URL encodes or changes. Without "%", which may
spell a dot segment, and ":", which may end a scheme."""
_PLAIN_PATH = re.compile(r"/(?:(?!\.)[\w~!$&()*+,;=@\-.?#:]+(?:/(?!\.)[\w~!$&()*+,;=@\-.?#:]*)*)?", re.ASCII)
"""The same for one that begins at the root. In both no segment begins with a dot."""
_PLAIN_FRAGMENT = re.compile(r"#[\w~!$&()*+,;=@\-.?/:]*", re.ASCII)
"""The same for a place in the page."""
_ABSOLUTE = ("http://", "https://")
_WEB = ("http:", "https:")


class Resolver:
    """Resolves the references of one page."""

    def __init__(self, tree: LexborHTMLParser, page_url: str) -> None:
        """Take the page's own URL as the base or, where it can be read, that of its first `<base href>`.

        HTML standard, "document base URL". The tree is looked at when the first reference comes.
        """
        self._tree = tree
        self._page_url = page_url
        self._base: can_ada.URL | None = None
        self._origin: str | None = None
        """None where the base is not of the web, so that no reference is plain."""
        self._folder = ""
        """The base up to its last slash, where there is an origin."""
        self._document = ""
        """The base without its fragment, where there is an origin."""
        self._folders: dict[str, str | None] = {}
        self._known: dict[str, str | None] = {}
        self._is_ready = False

    def resolve(self, reference: str) -> str | None:
        """The absolute URL of any scheme, its fragment kept; None where the standard finds none."""
        known = self._known
        return known[reference] if reference in known else self._learn(reference)

    def resolve_nodes(self, nodes: list[LexborNode], attribute: str) -> list[str | None]:
        """`resolve` for an attribute of many elements; None where one is missing."""
        if not self._is_ready:
            self._make_ready()
        if _links is None or self._origin is None:
            return [self._resolve_node(node, attribute) for node in nodes]
        origin, folder, document = (part.encode() for part in (self._origin, self._folder, self._document))
        whole = lambda node: self._resolve_node(node, attribute)  # noqa: E731
        return _links(nodes, attribute.encode(), origin, folder, document, whole)

    def _resolve_node(self, node: LexborNode, attribute: str) -> str | None:
        reference = node.attrs.sget(attribute, None)
        return None if reference is None else self.resolve(reference)

    def _learn(self, reference: str) -> str | None:
        if not self._is_ready:
            self._make_ready()
        if self._origin is None:
            href = self._join(reference)
        elif _PLAIN_NAME.fullmatch(reference):
            href = self._folder + reference
        else:
            href = self._join_plain(self._origin, reference) or self._join(reference)
        self._known[reference] = href
        return href

    def _join_plain(self, origin: str, reference: str) -> str | None:
        """The URL of a plain reference that is no name; None where it is for the standard's whole algorithm to say."""
        if _PLAIN_PATH.fullmatch(reference):
            return origin + reference
        if _PLAIN_FRAGMENT.fullmatch(reference):
            return self._document + reference
        if reference.startswith("../"):
            start = reference.rfind("../") + 3
            if _PLAIN_NAME.fullmatch(reference, start):
                return self._below(reference[:start], reference[start:])
        return None

    def _below(self, up: str, name: str) -> str | None:
        """A name in the folder that `up` (`../` some times) leads to from the base."""
        if up not in self._folders:
            self._folders[up] = self._join(up)
        folder = self._folders[up]
        return None if folder is None else folder + name

    def _join(self, reference: str) -> str | None:
        if self._base is None:
            return None
        try:
            # Reading an absolute URL takes half the time without the base.
            url = can_ada.parse(reference) if reference.startswith(_ABSOLUTE) else self._base + reference
        except ValueError:
            return None
        return url.href

    def _make_ready(self) -> None:
        self._is_ready = True
        self._base = _base(self._tree, self._page_url)
        if self._base is not None and self._base.protocol in _WEB:
            root = self._join("/")
            self._origin = root[:-1] if root else None
            self._document = self._base.href.partition("#")[0]
            self._folder = self._document.partition("?")[0].rpartition("/")[0] + "/"


_TRIAL = (
    b"<a href=a/b.html><a href=/a:b?c><a href=#d><a href=../../e><a href='https://a.example/f//?g#h'><a>i</a><a href>"
    b"<a href=http://1.2/><a href=/./j><a href='k l'><a href=../><a HREF=//m><a href=HTTP://n.example/>"
)


def native_links() -> "Links | None":
    """The compiled short ways; None where they were not built, or lead elsewhere from a small page."""
    try:
        from scraper.parse import _native

        links = _native.linker(lexbor.__file__, LexborNode)
        tree = LexborHTMLParser(_TRIAL)
        nodes, page = tree.css("a"), Resolver(tree, "http://a.example/b/c/d?e#f")
        expected = [page._resolve_node(node, "href") for node in nodes]
        origin, folder, document = b"http://a.example", b"http://a.example/b/c/", b"http://a.example/b/c/d?e"
        found = links(nodes, b"href", origin, folder, document, lambda node: page._resolve_node(node, "href"))
        return links if found == expected else None
    except Exception:  # as in text.py: Python does the work
        return None


def _base(tree: LexborHTMLParser, page_url: str) -> can_ada.URL | None:
    try:
        page = can_ada.parse(page_url)
    except ValueError:
        return None
    node = tree.css_first("base[href]")
    if node is None:
        return page
    try:
        base = page + node.attrs.sget("href")
    except ValueError:
        return page
    return page if base.protocol in ("data:", "javascript:") else base


_links = native_links()
