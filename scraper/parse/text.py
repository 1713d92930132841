"""The text of a node as a reader sees it. Pure.

White space is collapsed to single spaces; script, style, noscript, template and what else no reader sees is left out;
the borders of blocks part words and those of inline elements do not: `<p>a</p><p>b</p>` gives "a b", `<b>J</b>ohn`
"John".

Lexbor joins all text nodes of a page in 20 us but says nothing of borders. A border matters only where two text nodes
touch without white space between them: there, and only there, the way from one to the other is walked in Python.
"""

import re

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
_LANDMARKS = _UNSEEN | {_TEXT}
_GAPLESS = _INLINE | _LANDMARKS | {_COMMENT}


def visible_text(node: LexborNode) -> str:
    """The node's text, "" for none. Of a script or another unseen element itself: its whole content."""
    child = node.first_child
    if child is None:
        return ""
    if (child.tag_id == _TEXT and child.next is None) or node.tag_id in _UNSEEN:
        return " ".join(node.text().split())
    return _text_with_gaps(node)


def raw_text(node: LexborNode) -> str:
    """All text inside the node, as it stands in the page."""
    return node.text()


def _text_with_gaps(node: LexborNode) -> str:
    parts = node.text(separator=_SEPARATOR).split(_SEPARATOR)
    nodes = [found for found in node.traverse(include_text=True) if found.tag_id in _LANDMARKS]
    if len(nodes) != len(parts):
        nodes, parts = _seen(nodes, parts)
    return " ".join(_part_words(_SEPARATOR.join(parts), nodes).replace(_SEPARATOR, "").split())


def _part_words(words: str, nodes: list[LexborNode]) -> str:
    """The text with a space in place of each separator that touches both its neighbours and stands for a gap."""
    pieces: list[str] = []
    done = before = 0
    for joint in _JOINT.finditer(words):
        start = joint.start()
        before += words.count(_SEPARATOR, done, start)
        pieces.append(words[done:start])
        if _has_gap(nodes[before], nodes[before + 1]):
            pieces.append(" ")
        before += 1
        done = start + 1
    pieces.append(words[done:])
    return "".join(pieces)


def _seen(landmarks: list[LexborNode], parts: list[str]) -> tuple[list[LexborNode], list[str]]:
    """The text nodes outside unseen elements, and their texts."""
    kept: list[LexborNode] = []
    texts: list[str] = []
    unseen = [at for at, node in enumerate(landmarks) if node.tag_id != _TEXT]
    start = part = 0
    for at in unseen:
        if at < start:
            continue  # inside another unseen element
        run = landmarks[start:at]
        kept += run
        texts += parts[part : part + len(run)]
        inside, hidden = _content(landmarks[at])
        start = at + 1 + inside
        part += len(run) + hidden
    return kept + landmarks[start:], texts + parts[part:]


def _content(node: LexborNode) -> tuple[int, int]:
    """How many landmarks stand inside an unseen element, and how many of them are text nodes."""
    if node.first_child is None:
        return 0, 0
    inside = [found.tag_id for found in node.traverse(include_text=True) if found.tag_id in _LANDMARKS]
    return len(inside) - 1, inside.count(_TEXT)  # traverse begins with the node itself


def _has_gap(first: LexborNode, second: LexborNode) -> bool:
    """Whether the way from one text node to the next, in document order, passes the border of a gap-making element."""
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
