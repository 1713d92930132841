"""What a page says about itself: the default fields, Open Graph and JSON-LD. Pure."""

import json
import re
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser

from scraper.parse.links import Resolver
from scraper.parse.text import visible_text

DEFAULT_FIELDS = ("title", "description", "h1", "canonical", "lang", "links", "og", "jsonld")
"""The keys of `default_fields`, in order."""

_OG_CSS = 'meta[property^="og:" i],meta[property^="article:" i],meta[property^="product:" i],meta[property^="book:" i],meta[property^="profile:" i],meta[property^="video:" i],meta[property^="music:" i]'
_JSONLD_CSS = 'script[type^="application/ld+json" i]'


def default_fields(tree: LexborHTMLParser, links: Resolver) -> dict[str, Any]:
    """The fields of a run that configures none. What is missing is None, [] or {}."""
    return {
        "title": _text(tree, "title"),
        "description": _attr(tree, 'meta[name="description" i]', "content"),
        "h1": _text(tree, "h1"),
        "canonical": _canonical(tree, links),
        "lang": _attr(tree, "html[lang]", "lang"),
        "links": page_links(tree, links),
        "og": open_graph(tree),
        "jsonld": json_ld(tree),
    }


def page_links(tree: LexborHTMLParser, links: Resolver) -> list[str]:
    """The web pages that the page links to: absolute http(s) URLs without fragments, each once, in order."""
    found: dict[str, None] = {}
    for node in tree.css("a[href]"):
        href = links.resolve(node.attrs.sget("href"))
        if href is not None and href.startswith(("http://", "https://")):
            found[href.partition("#")[0]] = None
    return list(found)


def open_graph(tree: LexborHTMLParser) -> dict[str, Any]:
    """The Open Graph properties (ogp.me) with their texts; one that is repeated has a list, in order."""
    found: dict[str, Any] = {}
    for node in tree.css(_OG_CSS):
        name = node.attrs.sget("property").strip().lower()
        content = node.attrs.sget("content", None)
        if content is not None:
            _add(found, name, content.strip())
    return found


def json_ld(tree: LexborHTMLParser) -> list[Any]:
    """The page's JSON-LD objects in order; arrays are opened, what cannot be read is left out."""
    found: list[Any] = []
    for node in tree.css(_JSONLD_CSS):
        value = read_json_ld(node.text())
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


def _text(tree: LexborHTMLParser, css: str) -> str | None:
    node = tree.css_first(css)
    return (visible_text(node) or None) if node else None


def _attr(tree: LexborHTMLParser, css: str, attr: str) -> str | None:
    node = tree.css_first(css)
    return (" ".join(node.attrs.sget(attr).split()) or None) if node else None


def _canonical(tree: LexborHTMLParser, links: Resolver) -> str | None:
    href = _attr(tree, 'link[rel~="canonical" i][href]', "href")
    return links.resolve(href) if href else None


_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|/\*.*?\*/|<!--|-->|//[^\n]*', re.S)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.S)
_WRAPPER = re.compile(
    r"^\s*(?:/[/*]\s*)?(?:<!\[CDATA\[|<!--)(?:\s*\*/)?|(?:/[/*]\s*)?(?:\]\]>|-->)(?:\s*\*/)?\s*;?\s*$"
)


def read_json_ld(text: str) -> Any:
    """One script's value; None where it cannot be read.

    Tried as JSON first. Real pages also have comments, CDATA or comment wrappers, control characters in strings and
    trailing commas; those are forgiven.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        pass
    cleaned = _WRAPPER.sub("", text)
    cleaned = _COMMENT.sub(lambda found: found[1] or "", cleaned)
    cleaned = _TRAILING_COMMA.sub(lambda found: found[1] or "", cleaned)
    try:
        value = json.loads(cleaned.strip().rstrip(";"), strict=False)
        msgspec.json.encode(value)
    except (ValueError, RecursionError):
        return None
    return value
