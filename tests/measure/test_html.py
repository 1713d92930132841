"""Pages of HTML: what is plain text stays plain text, and a page says what it is made of."""

from base64 import b64encode
from hashlib import sha256

import pytest
from selectolax.lexbor import LexborHTMLParser

from scraper.measure.page import html
from scraper.measure.page.html import Html, Num, Section

HOSTILE = [
    ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("</style></title><img src=x onerror=a()>", "&lt;/style&gt;&lt;/title&gt;&lt;img src=x onerror=a()&gt;"),
    ('" onclick="a()', "&quot; onclick=&quot;a()"),
    ("' autofocus onfocus='a()", "&#x27; autofocus onfocus=&#x27;a()"),
    ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
    ("a\0b", "a⟨U+0000⟩b"),
    ("exe\u202egpj.txt", "exe⟨U+202E⟩gpj.txt"),
    ("\u2066isolated\u2069", "⟨U+2066⟩isolated⟨U+2069⟩"),
    ("\ud800", "⟨U+D800⟩"),
    ("\x1b[31mred\x7f", "⟨U+001B⟩[31mred⟨U+007F⟩"),
    ("\ufeffmark\u2028line\U000e0041", "⟨U+FEFF⟩mark⟨U+2028⟩line⟨U+E0041⟩"),
]


@pytest.mark.parametrize(("text", "expected"), HOSTILE, ids=range(len(HOSTILE)))
def test_plain_text_is_escaped_and_what_hides_is_shown(text: str, expected: str) -> None:
    assert html.el("p", text) == f"<p>{expected}</p>"
    assert html.el("p", title=text) == f'<p title="{expected}"></p>'
    assert html.code(text) == f"<code><bdi>{expected}</bdi></code>"
    assert expected in html.table(text, [text], [[text]]).replace("\n", "")


@pytest.mark.parametrize("text", ["naïve café", "日本語 עברית", "👩‍👩‍👧", "tab\tand\nline", "1 < 2 & 3 > 2"])
def test_ordinary_text_reads_as_it_was_written(text: str) -> None:
    assert LexborHTMLParser(html.el("p", text)).css_first("p").text() == text


@pytest.mark.parametrize("url", ["http://a.example/x?y=1&z=2", "HTTPS://b.example/%20"])
def test_url_of_the_web_becomes_a_link(url: str) -> None:
    anchor = LexborHTMLParser(html.link(url)).css_first("a")
    assert anchor.attributes["href"] == url
    assert anchor.attributes["rel"] == "noreferrer nofollow"
    assert anchor.text() == url


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", " http://a.example/", "http://a.example/\u202e", "file:///etc", ""],
)
def test_anything_else_is_no_link(url: str) -> None:
    assert LexborHTMLParser(html.link(url)).css_first("a") is None


def test_element_leaves_out_what_is_none_and_writes_flags_without_a_value() -> None:
    assert html.el("td", None, 1.5, colspan=None, hidden=True, open=False) == "<td hidden>1.5</td>"
    assert html.el("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_table_names_its_columns_and_rows_and_puts_numbers_to_the_right() -> None:
    table = LexborHTMLParser(
        html.table("Hosts", ["host", "pages", "time"], [["a", 12_345, Num("3 ms")], ["b", None, ""]])
    )
    assert table.css_first("caption").text() == "Hosts"
    assert [head.attributes["scope"] for head in table.css("th")] == ["col", "col", "col", "row", "row"]
    assert [cell.text() for cell in table.css("td")] == ["12,345", "3 ms", "", ""]
    assert [cell.attributes.get("class") for cell in table.css("td")] == ["num"] * 4
    assert [head.attributes.get("class") for head in table.css("thead th")] == [None, "num", "num"]
    region = table.css_first("[role=region]")
    assert region.attributes["aria-label"] == "Hosts"
    assert region.attributes["tabindex"] == "0"  # else a keyboard cannot move what is too wide


def test_figure_holds_its_chart_and_the_figures_as_a_table() -> None:
    figure = LexborHTMLParser(html.figure("Rates", Html("<svg></svg>"), html.table("The rates", ["at"], [[1]])))
    assert figure.css_first("figure > figcaption").text() == "Rates"
    assert figure.css_first("figure > svg")
    assert figure.css_first("figure > details table caption").text() == "The rates"


def a_page() -> LexborHTMLParser:
    sections = [Section("One & two", [html.paragraph("text")]), Section("Three", [])]
    return LexborHTMLParser(html.page("A <title>", sections, lead=[html.paragraph("lead")], made_by="us"))


def test_page_has_its_title_and_a_landmark_for_each_part() -> None:
    page = a_page()
    assert page.css_first("html").attributes["lang"] == "en"
    assert page.css_first("title").text() == page.css_first("header h1").text() == "A <title>"
    assert [anchor.text() for anchor in page.css("nav a")] == ["One & two", "Three"]
    headings = {heading.attributes["id"]: heading.text() for heading in page.css("main section h2")}
    assert [f"#{name}" for name in headings] == [anchor.attributes["href"] for anchor in page.css("nav a")]
    assert [section.attributes["aria-labelledby"] for section in page.css("section")] == list(headings)
    assert page.css_first("footer").text() == "us"


def test_policy_of_a_page_allows_its_own_style_and_no_network() -> None:
    page = a_page()
    policy = page.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]
    digest = b64encode(sha256(page.css_first("style").text().encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_page_refers_to_nothing_outside_of_itself() -> None:
    page = a_page()
    assert not page.css("script, [style], [src], iframe, object, embed, base, form")
    assert {node.attributes["href"] for node in page.css("[href]")} == {"#content", "#part-1", "#part-2", "data:,"}
    assert "url(" not in page.css_first("style").text()
    assert "@import" not in page.css_first("style").text()
