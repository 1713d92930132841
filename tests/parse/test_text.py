"""Text as a reader sees it, read by the walk in Python and by the compiled one."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper.parse.text import native_reader, python_text, visible_text

Reader = Callable[[LexborNode], str]

NATIVE = native_reader()
not_built = pytest.mark.skipif(NATIVE is None, reason="the compiled walk was not built: no C compiler was found")
readers = pytest.mark.parametrize("read", [python_text, pytest.param(NATIVE, id="native", marks=not_built)])


@readers
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a</p><p>b</p>", "a b"),
        ("<b>J</b>ohn", "John"),
        ("<p>see <a href=x>here</a>, now</p>", "see here, now"),
        ("  a \n\t b&nbsp;&nbsp;c\u3000d ", "a b c d"),
        ("a<br>b", "a b"),
        ("a<img alt=x>b", "a b"),
        ("a<wbr>b", "ab"),
        ("<i>a</i><div></div><i>b</i>", "a b"),
        ("<span><p>a</p></span>b", "a b"),
        ("a<span><span><p>b</p></span></span>", "a b"),
        ("<a><b>x</b></a><i></i>y", "xy"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2 3"),
        ("<ul><li>a<li>b</ul>", "a b"),
        ("<select><option>a<option>b</select>", "a b"),
        ("<x-card>a</x-card><x-card>b</x-card>", "a b"),
        ("a<!-- no -->b", "ab"),
        ("<script>x</script>a<script>y</script>b<style>z</style>", "ab"),
        ("a<noscript>x<p>y<style>z</style></p></noscript> b", "a b"),
        ("<script></script>a<iframe>x</iframe>", "a"),
        ("<template>x<p>y</p></template>a<p>b", "a b"),
        ("<svg><title>t</title><style>x</style></svg>a", "t a"),
        ("<textarea> a\nb </textarea>", "a b"),
        ("1 &lt; 2 &amp;&#0; 3", "1 < 2 &\ufffd 3"),
        ("", ""),
        ("<p></p>", ""),
        ("<p> </p><p>\n</p>", ""),
    ],
)
def test_what_a_reader_sees(html: str, expected: str, read: Reader) -> None:
    assert read(LexborHTMLParser(html).css("body")[0]) == expected


@pytest.mark.parametrize("name", ["script", "style", "noscript", "title", "iframe"])
def test_an_unseen_element_that_was_asked_for_is_read(name: str) -> None:
    tree = LexborHTMLParser(f"<body><{name}>one\n two</{name}>")
    assert visible_text(tree.css(name)[0]) == "one two"


@pytest.mark.parametrize("html", ["", "<p>a<p>b", "<i>a</i>b"])
def test_what_all_others_call_is_one_of_the_two(html: str) -> None:
    node = LexborHTMLParser(html).css("body")[0]
    assert visible_text(node) == python_text(node)


BLOCKS = ["p", "div", "li", "td", "section"]
INLINE = ["b", "i", "span", "a", "em"]


def render(tree: object, *, blocks: bool) -> str:
    """Words as HTML; with `blocks`, as the text that must be read from it."""
    if isinstance(tree, str):
        return tree
    assert isinstance(tree, tuple)
    name, children = tree
    inside = "".join(render(child, blocks=blocks) for child in children)
    if not blocks:
        return f"<{name}>{inside}</{name}>"
    return f" {inside} " if name in BLOCKS else inside


def trees(names: list[str], leaf: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaf, lambda inner: st.tuples(st.sampled_from(names), st.lists(inner, max_size=4)), max_leaves=12
    )


words = st.sampled_from(["a", "b ", " c", " ", "d e"])
inline = st.tuples(st.sampled_from(["span", "em", "sub"]), st.lists(words, max_size=3))
contents = trees(["div", "section"], st.one_of(words, inline))


@readers
@given(content=contents)
def test_borders_of_blocks_part_words_and_those_of_inline_elements_do_not(content: object, read: Reader) -> None:
    html = f"<body><div>{render(content, blocks=False)}</div>"
    expected = " ".join(render(content, blocks=True).split())
    assert read(LexborHTMLParser(html).css("body")[0]) == expected


def text_of_children(node: LexborNode) -> str:
    return "".join(simple_text(child) for child in node.iter(include_text=True))


def simple_text(node: LexborNode) -> str:
    """The same text in the plainest way: a space at each border of a block, wherever it stands."""
    if node.is_text_node:
        return node.text_content or ""
    if node.is_comment_node or node.tag in UNSEEN:
        return ""
    return text_of_children(node) if node.tag in INLINE else f" {text_of_children(node)} "


UNSEEN = ["script", "style", "noscript", "template", "iframe"]
TAGS = [f"<{slash}{name}>" for name in [*BLOCKS, *INLINE, *UNSEEN, "svg", "x-y"] for slash in ("", "/")]
SOUP = st.lists(st.sampled_from([*TAGS, "<br>", "<!--c-->", "a", "b", "é", " ", "\n", "&nbsp;", "\0"]), max_size=30)


@readers
@given(html=SOUP.map("".join))
def test_text_of_any_tag_soup_is_that_of_a_walk_that_parts_words_at_every_border(html: str, read: Reader) -> None:
    for node in LexborHTMLParser(html).css("body"):
        assert read(node) == " ".join(text_of_children(node).split())


@readers
def test_a_hundred_thousand_nested_elements_are_read(read: Reader) -> None:
    tree = LexborHTMLParser("<span>x" * 100_000)
    assert read(tree.css("body")[0]) == "x" * 100_000
