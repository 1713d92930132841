"""What all one-process contenders share: the list, the number of connections, and the six fields read plainly."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

CONNECTIONS = 64

Row = dict[str, Any]
Extract = Callable[[str, LexborHTMLParser], Row]


def arguments() -> tuple[list[str], Path]:
    """The URLs to fetch and the file to write, from the command line."""
    return Path(sys.argv[1]).read_text(encoding="utf-8").split(), Path(sys.argv[2])


def line(row: Row) -> str:
    """A row as a JSON line."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def six_fields(url: str, tree: LexborHTMLParser) -> Row:
    """The job: title, h1, description, absolute links, number of paragraphs, length of the visible text."""
    description = tree.css_first('meta[name="description"]')
    row = {
        **two_fields(url, tree),
        "description": description.attributes.get("content") if description else None,
        "links": [urljoin(url, node.attributes["href"] or "") for node in tree.css("a[href]")],
        "paragraphs": len(tree.css("p")),
    }
    tree.strip_tags(["script", "style", "noscript", "template"])
    row["text_length"] = len(" ".join(tree.body.text(separator=" ").split())) if tree.body else 0
    return row


def two_fields(url: str, tree: LexborHTMLParser) -> Row:
    """The smaller job: title and h1."""
    return {"url": url, "title": first_text(tree, "title"), "h1": first_text(tree, "h1")}


def first_text(tree: LexborHTMLParser, css: str) -> str | None:
    """The text of the first match, white space collapsed; None where nothing matches."""
    node = tree.css_first(css)
    return " ".join(node.text().split()) if node else None
