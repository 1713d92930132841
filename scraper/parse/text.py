"""The text of a node as a reader sees it. Pure.

White space is collapsed to single spaces; script, style, noscript, template and what else no reader sees is left out;
the borders of blocks part words and those of inline elements do not: `<p>a</p><p>b</p>` gives "a b", `<b>J</b>ohn`
"John".

Lexbor's own `text()` knows neither borders nor what is unseen. So the text nodes are listed in one walk, and only where
two of them touch without white space between them, some 15 times on a page, is the way from one to the other looked at.
Linear in the number of nodes; 0.15 ms for the body of a page of 34 KB, of which half is splitting it into words.

That is the walk in Python. The same walk in C (`_text.c`) takes its place where it was built and passes a trial.
"""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate, islice, repeat

from selectolax import lexbor
from selectolax.lexbor import LexborHTMLParser, LexborNode

_SEPARATOR = "\0"
"""The HTML parser lets no U+0000 into a tree."""
_JOINT = re.compile(r"\0(?<=[^\s\0]\0)(?=[^\s\0])")


def _tag_ids(names: str) -> frozenset[int]:
    """Lexbor's numbers of elements, asked of the library itself: they may change with its version."""
    tree = LexborHTMLParser("")
    return frozenset(tree.create_node(name).tag_id for name in names.split())


_TEXT, _COMMENT = (
    node.tag_id for node in LexborHTMLParser("<p>a<!--b-->").css("p")[0].traverse(True) if not node.is_element_node
)
_INLINE = _tag_ids(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small "
    "span strike strong sub sup time tt u var wbr"
)
"""Elements that leave no gap between letters. All others do, images, form fields and unknown elements included."""
_UNSEEN = _tag_ids("script style noscript template iframe noembed noframes")
_TEXT_OR_UNSEEN = _UNSEEN | {_TEXT}
_GAPLESS = _INLINE | _UNSEEN | {_TEXT, _COMMENT}


def visible_text(node: LexborNode) -> str:
    """The node's text, "" for none. Of a script or another unseen element itself: its whole content."""
    return " ".join(node.text().split()) if node.tag_id in _UNSEEN else _read(node)


def raw_text(node: LexborNode) -> str:
    """All text inside the node, as it stands in the page."""
    return node.text()


def python_text(node: LexborNode) -> str:
    """The text of a node that is not itself unseen, read in Python: what any other way to it must give."""
    child = node.first_child
    if child is None:
        return ""
    if child.tag_id == _TEXT and child.next is None:
        return " ".join(node.text().split())
    return _text_with_gaps(node)


def _text_with_gaps(node: LexborNode) -> str:
    nodes = _seen_text_nodes(node)
    texts = [found.text_content or "" for found in nodes]
    _part_words(texts, nodes)
    return " ".join("".join(texts).split())


def _seen_text_nodes(node: LexborNode) -> list[LexborNode]:
    """The text nodes that are not inside unseen elements, in document order."""
    found = [below for below in node.traverse(include_text=True) if below.tag_id in _TEXT_OR_UNSEEN]
    if [below.tag_id for below in found].count(_TEXT) == len(found):
        return found
    return list(_without_unseen(found))


def _without_unseen(found: list[LexborNode]) -> Iterator[LexborNode]:
    """The text nodes of a list of text nodes and unseen elements, less those inside the latter."""
    rest = iter(found)
    for node in rest:
        if node.tag_id == _TEXT:
            yield node
        elif node.first_child is not None:
            below = sum(1 for inner in node.traverse(include_text=True) if inner.tag_id in _TEXT_OR_UNSEEN) - 1
            next(islice(rest, below, below), None)


def _part_words(texts: list[str], nodes: list[LexborNode]) -> None:
    """Put a space before each text that touches the one before it across a gap."""
    runs = _JOINT.split(_SEPARATOR.join(texts))
    borders = accumulate(map(str.count, runs, repeat(_SEPARATOR)))
    for number, border in zip(range(1, len(runs)), borders, strict=False):
        second = number + border
        if _has_gap(nodes[second - 1], nodes[second]):
            texts[second] = " " + texts[second]


def _has_gap(first: LexborNode, second: LexborNode) -> bool:
    """Whether the way from one text node to the next, in document order, passes the border of a gap-making element.

    Nine ways in ten are short: out of one inline element, into the next. They are told here, in a third of the time.
    """
    after = first.next
    if after is None:
        parent = first.parent
        if parent is None or parent.tag_id not in _INLINE:
            return True
        after = parent.next
    if after is not None:
        tag = after.tag_id
        if tag not in _GAPLESS:
            return True
        inner = after.first_child if tag in _INLINE else after
        if inner is not None and inner.tag_id == _TEXT:
            return False
    return _has_gap_on_long_way(first, second)


def _has_gap_on_long_way(first: LexborNode, second: LexborNode) -> bool:
    """The same for any way: through empty, nested and unseen elements, and comments."""
    node, end = first, second.mem_id
    while node.mem_id != end:
        tag = node.tag_id
        if tag not in _GAPLESS:
            return True
        below = node.first_child if tag in _INLINE else None
        if below is not None:
            node = below
            continue
        while (following := node.next) is None:
            parent = node.parent
            if parent is None or parent.tag_id not in _INLINE:
                return True
            node = parent
        node = following
    return False


_KINDS = bytes(
    3 if tag == _TEXT else 2 if tag in _UNSEEN or tag == _COMMENT else int(tag in _INLINE)
    for tag in range(max(_GAPLESS) + 1)
)
"""By Lexbor's number of the tag: 3 a text, 2 passed over, 1 without a gap, 0 with one; all tags beyond the end too."""
_TRIAL = (
    b"<p>a<b>b</b>c<i></i><!--d-->e<p>f<script>g</script>h<template>i</template><x-y>j</x-y>k<br>l\xc2\xa0 \t m"
    b"<div>\xe3\x80\x80\xe2\x80<!---->\x83n\xff &amp; &lt;o&gt;</div><ul><li>p<li><a><b>q</b></a>r</ul><svg>s</svg>"
)


def native_reader() -> Callable[[LexborNode], str] | None:
    """The compiled `python_text`; None where it was not built, or reads a small page differently."""
    try:
        from scraper.parse import _native

        reader = _native.reader(lexbor.__file__, LexborNode, _KINDS)
        nodes = LexborHTMLParser(_TRIAL).css("html, body, p, b, i, x-y, div, ul, li, a, svg")
        return reader if [*map(reader, nodes)] == [*map(python_text, nodes)] else None
    except Exception:  # Of another version, for another machine, without Lexbor's functions: Python does the work.
        return None


_read = native_reader() or python_text
