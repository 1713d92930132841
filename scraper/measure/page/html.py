"""A page of HTML that needs nothing but itself: its shell, sections, tables and figures. Pure.

What goes in as plain text is escaped, without exception: only what these functions made is taken as HTML. Markupsafe
and jinja2 were looked at: both escape `<`, neither shows what hides (NUL, controls that turn the direction of writing),
and forty lines of our own need no further dependency.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from scraper.measure.page.style import STYLE


class Html(str):
    """Text that is HTML already, and safe."""

    __slots__ = ()


class Num(str):
    """A figure in words ("12.3 ms"): plain text that stands to the right in a table."""

    __slots__ = ()


Child = str | int | float | None
"""Plain text is escaped, Html is not, None is nothing."""
Attribute = str | int | float | bool | None
"""True: without a value. False and None: left out."""

_VOID = frozenset({"meta", "link", "br", "hr"})
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of writing
    "\u2028\u2029\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # separators, marks, tags
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # no characters at all
)
_LINKABLE = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def shown(text: str) -> str:
    """A text whose hidden characters can be seen: they come from pages, and could turn the words beside them around.

    >>> shown("a\\u202eb\\0")
    'a⟨U+202E⟩b⟨U+0000⟩'
    """
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def el(tag: str, *children: Child, **attributes: Attribute) -> Html:
    """An element. In the names of attributes `_` stands for `-`, but at the end for nothing (`class_`).

    >>> el("td", "a < b", class_="num", data_row=1, hidden=True)
    '<td class="num" data-row="1" hidden>a &lt; b</td>'
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    return Html(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Html:
    """Pieces one behind the other."""
    return Html("".join(_text(child) for child in children if child is not None))


def link(url: str, text: str = "") -> Html:
    """A URL as a link, where it is one of the web; else as text."""
    words = el("bdi", text or url, dir="ltr", class_="url")
    return el("a", words, href=url, rel="noreferrer nofollow") if _LINKABLE.fullmatch(url) else words


def code(text: str) -> Html:
    """Something of the user's or of a page's, set apart."""
    return el("code", el("bdi", text))


def paragraph(*children: Child, note: bool = False) -> Html:
    """A paragraph; a note is smaller."""
    return el("p", *children, class_="note" if note else None)


def listed(items: Iterable[Child]) -> Html:
    """A list of points."""
    return el("ul", *(el("li", item) for item in items))


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Names and what belongs to them: the figures a reader looks for first."""
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in pairs), class_="facts")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html:
    """A table. The first cell of a row names it; a column whose cells are numbers (int, float, Num) stands right.

    None is an empty cell. Whatever is too wide for a small screen can be moved to the side.
    """
    held = [tuple(row) for row in rows]
    right = [any(_is_number(row[at]) for row in held if at < len(row)) for at in range(len(head))]
    heads = (
        el("th", name, scope="col", class_="num" if is_right else None)
        for name, is_right in zip(head, right, strict=True)
    )
    body = (el("tr", *(_cell(child, at, right[at]) for at, child in enumerate(row))) for row in held)
    drawn = el("table", el("caption", caption), el("thead", el("tr", *heads)), el("tbody", *body))
    return el("div", drawn, class_="scroll", role="region", aria_label=caption, tabindex=0)


def figure(caption: str, svg: Html, table: Html) -> Html:
    """A chart with its caption, and its figures as a table that can be unfolded."""
    return el("figure", el("figcaption", caption), svg, folded("The figures", table))


def folded(summary: str, *parts: Html) -> Html:
    """Something that is shown when its summary is chosen."""
    return el("details", el("summary", summary), *parts)


def whole(*children: Child) -> Html:
    """Words that stay on one line."""
    return el("span", *children, class_="whole")


def meter(share: float, words: str) -> Html:
    """A share, 0 to 1, as a small bar for the eye and in words."""
    width = 60 * min(max(share, 0.0), 1.0)
    shape = {"height": 10, "rx": 3}
    bar = joined(el("rect", width=60, class_="rest", **shape), el("rect", width=f"{width:.1f}", class_="f1", **shape))
    return whole(el("svg", bar, class_="meter", viewBox="0 0 60 10", aria_hidden="true"), words)


def side_by_side(*parts: Html) -> Html:
    """Figures beside each other where there is room."""
    return el("div", *parts, class_="grid")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    heading: str
    parts: Sequence[Html]
    """One below the other."""


def page(title: str, sections: Sequence[Section], *, lead: Sequence[Html] = (), made_by: str = "") -> Html:
    """The whole page. `lead`: what stands above the first section; `made_by`: the last line.

    It loads nothing, and its own policy forbids browsers to load anything for it.
    """
    entries = (el("li", el("a", section.heading, href=f"#part-{at}")) for at, section in enumerate(sections, 1))
    body = el(
        "body",
        el("a", "To the content", href="#content", class_="skip"),
        el("header", el("h1", title), *lead),
        el("nav", el("ul", *entries), aria_label="Parts of this page"),
        el("main", *(_section(at, section) for at, section in enumerate(sections, 1)), id="content", tabindex=-1),
        el("footer", paragraph(made_by, note=True)) if made_by else None,
    )
    return Html(f"<!doctype html>\n{el('html', _head(title), body, lang='en')}\n")


def _head(title: str) -> Html:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy()),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="generator", content=GENERATOR),
        el("link", rel="icon", href="data:,"),  # else a browser asks the server that shows the page for one
        el("title", title),
        el("style", Html(STYLE)),
    )


GENERATOR = "scraper"
"""By this a page of ours is known again."""


def _policy() -> str:
    """Nothing but the one style sheet, by its hash, and the empty icon: no script, no style of a page's own."""
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _section(number: int, section: Section) -> Html:
    name = f"part-{number}"
    return el("section", el("h2", section.heading, id=name), *section.parts, aria_labelledby=name)


def _cell(child: Child, at: int, is_right: bool) -> Html:
    mark = "num" if is_right else None
    words = f"{child:,}" if isinstance(child, int) else child
    return el("td", words, class_=mark) if at else el("th", words, scope="row", class_=mark)


def _is_number(child: Child) -> bool:
    return isinstance(child, int | float | Num)


def _text(child: Child) -> str:
    return child if isinstance(child, Html) else escape(shown(str(child)))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    words = name.rstrip("_").replace("_", "-")
    return f" {words}" if value is True else f' {words}="{escape(shown(str(value)))}"'
