"""What a page says about itself: the fields of a run that configures none. Pure."""

from typing import Any

from selectolax.lexbor import LexborHTMLParser

from scraper.parse.jsonld import read_json_ld
from scraper.parse.links import Resolver
from scraper.parse.text import raw_text, visible_text

DEFAULT_FIELDS = ("title", "description", "h1", "canonical", "lang", "links", "og", "jsonld")
"""The keys of `default_fields`, in order."""

_OG_PREFIXES = ("og:", "article:", "book:", "profile:", "video:", "music:", "product:")
"""Those of ogp.me, and Facebook's product."""


def default_fields(tree: LexborHTMLParser, links: Resolver) -> dict[str, Any]:
    """The page's title, description, first h1, canonical URL, language, links, Open Graph and JSON-LD.

    What is missing is None, [] or {}.
    """
    return {
        "title": page_title(tree),
        "description": _attr(tree, 'meta[name="description" i]', "content"),
        "h1": _first_text(tree, "h1"),
        "canonical": _canonical(tree, links),
        "lang": page_language(tree),
        "links": page_links(tree, links),
        "og": open_graph(tree),
        "jsonld": json_ld(tree),
    }


def page_title(tree: LexborHTMLParser) -> str | None:
    """The document's title; an SVG picture has titles too, which are not meant."""
    for node in tree.css("title"):
        if node.parent is None or node.parent.tag != "svg":
            return visible_text(node) or None
    return None


def page_language(tree: LexborHTMLParser) -> str | None:
    """The `lang` of the html element as written (a BCP 47 tag, such as "en-GB")."""
    return _attr(tree, "html[lang]", "lang")


def page_links(tree: LexborHTMLParser, links: Resolver) -> list[str]:
    """The web pages that the page links to: absolute http(s) URLs without fragments, each once, in order."""
    found: dict[str, None] = {}
    for href in links.resolve_nodes(tree.css("a[href]"), "href"):
        if href is not None and href.startswith(("http://", "https://")):
            found[href.partition("#")[0]] = None
    return list(found)


def open_graph(tree: LexborHTMLParser) -> dict[str, Any]:
    """The Open Graph properties (ogp.me) with their texts; one that is repeated has a list, in order.

    A property in `name` counts too, as pages often confuse the two; `property` may hold several (RDFa).
    """
    found: dict[str, Any] = {}
    for node in tree.css("meta[property],meta[name]"):
        attributes = node.attributes
        content = attributes.get("content")
        for name in (attributes.get("property") or attributes.get("name") or "").lower().split():
            if content is not None and name.startswith(_OG_PREFIXES):
                _add(found, name, content.strip())
    return found


def json_ld(tree: LexborHTMLParser) -> list[Any]:
    """The page's JSON-LD objects in order; arrays are opened, what cannot be read is left out."""
    found: list[Any] = []
    for node in tree.css('script[type^="application/ld+json" i]'):
        value = read_json_ld(raw_text(node))
        found += value if isinstance(value, list) else [value]
    return [value for value in found if isinstance(value, dict)]


def _add(found: dict[str, Any], name: str, content: str) -> None:
    known = found.get(name)
    if known is None:
        found[name] = content
    elif isinstance(known, list):
        known.append(content)
    else:
        found[name] = [known, content]


def _first_text(tree: LexborHTMLParser, css: str) -> str | None:
    node = tree.css_first(css)
    return (visible_text(node) or None) if node else None


def _attr(tree: LexborHTMLParser, css: str, attr: str) -> str | None:
    node = tree.css_first(css)
    return (" ".join(node.attrs.sget(attr).split()) or None) if node else None


def _canonical(tree: LexborHTMLParser, links: Resolver) -> str | None:
    href = _attr(tree, 'link[rel~="canonical" i][href]', "href")
    return links.resolve(href) if href else None
