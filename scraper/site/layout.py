"""The frame that all HTML pages of the site share: head, menus, JSON-LD, page numbers. Knows no product or article."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

SITE_NAME = "Fell &amp; Harbour"
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:auto;padding:1rem}nav a,nav span{margin-right:1rem}"
    ".card{border-bottom:1px solid #ccc;padding:.5rem 0}.was{text-decoration:line-through}"
)
_MENU = f"""<style>{_STYLE}</style>
</head>
<body>
<header><nav class="menu"><a href="/">{SITE_NAME}</a> <a href="/shop/">Shop</a> <a href="/news/">News</a></nav></header>
<main>
"""
_END = b"""
</main>
<footer><p>A practice site: all names, goods and news are made up.</p>
<nav><a href="/sitemap.xml">Sitemap</a> <a href="/urls.txt">All pages</a> <a href="/private/">Staff</a></nav></footer>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Head:
    """What a page says about itself. Texts are HTML, that is escaped already; links are absolute."""

    title: str
    description: str
    canonical: str
    kind: str = "website"
    """og:type."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Further Open Graph properties."""
    json_ld: Sequence[Mapping[str, Any]] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """rel -> href of further head links."""


def document(head: Head, *main: str | bytes) -> bytes:
    """A whole HTML document, UTF-8, around the pieces of its main part."""
    pieces = (piece if isinstance(piece, bytes) else piece.encode() for piece in main)
    return b"".join((_head_html(head).encode(), _MENU.encode(), *pieces, _END))


def breadcrumb(trail: Sequence[tuple[str, str]], here: str) -> str:
    """The way to a page as HTML: (name, path) from the top, then the page itself. Names are HTML."""
    steps = "".join(f'<li><a href="{path}">{name}</a></li>' for name, path in trail)
    return f'<nav aria-label="Breadcrumb"><ol class="breadcrumb">{steps}<li>{here}</li></ol></nav>\n'


def breadcrumb_json_ld(base: str, trail: Sequence[tuple[str, str]], here: str) -> dict[str, Any]:
    """The same way as a schema.org BreadcrumbList. Names are plain text."""
    steps: list[dict[str, Any]] = [{"name": name, "item": base + path} for name, path in trail] + [{"name": here}]
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [{"@type": "ListItem", "position": n, **step} for n, step in enumerate(steps, 1)],
    }


def related_links(heading: str, prefix: str, numbers: Sequence[int]) -> str:
    """Links to other detail pages as HTML."""
    items = "".join(f'<li><a href="{prefix}{number}">Number {number}</a></li>' for number in numbers)
    return f'<aside class="related"><h2>{heading}</h2><ul>{items}</ul></aside>'


def page_numbers(path: str, page: int, pages: int) -> str:
    """Links to the first, previous, next and last page of a list as HTML."""
    steps = {"first": 1, "prev": page - 1, "next": page + 1, "last": pages}
    shown = (
        f'<a rel="{rel}" href="{list_href(path, to)}">{rel.capitalize()}</a>'
        for rel, to in steps.items()
        if 1 <= to <= pages and to != page
    )
    return f'<nav class="pagination"><span>Page {page} of {pages}</span> {" ".join(shown)}</nav>'


def list_links(base: str, path: str, page: int, pages: int) -> dict[str, str]:
    """The head links of a list page: prev and next where there are any."""
    neighbours = {"prev": page - 1, "next": page + 1}
    return {rel: base + list_href(path, to) for rel, to in neighbours.items() if 1 <= to <= pages}


def list_href(path: str, page: int) -> str:
    """The one address of a page of a list: the first has no query."""
    return path if page == 1 else f"{path}?page={page}"


def _head_html(head: Head) -> str:
    links = "".join(f'<link rel="{rel}" href="{href}">\n' for rel, href in head.links.items())
    properties = "".join(f'<meta property="{name}" content="{text}">\n' for name, text in head.properties.items())
    scripts = "".join(f'<script type="application/ld+json">{_script_json(data)}</script>\n' for data in head.json_ld)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{head.title} | {SITE_NAME}</title>
<meta name="description" content="{head.description}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="canonical" href="{head.canonical}">
{links}<meta property="og:site_name" content="{SITE_NAME}">
<meta property="og:type" content="{head.kind}">
<meta property="og:title" content="{head.title}">
<meta property="og:description" content="{head.description}">
<meta property="og:url" content="{head.canonical}">
{properties}{scripts}"""


def _script_json(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    return msgspec.json.encode(data).decode().replace("<", "\\u003c")
