"""Fields of a page."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from scraper.parse.extract import extract
from scraper.parse.links import Resolver
from scraper.parse.rules import compile_rules
from scraper.records import Fault, FieldSpec

PAGE = """<title>Shop</title><h1>Blue <b>sh</b>oe</h1><p class=price>€ 1.299,00</p><p class=old>from $5</p>
<p class=empty> </p><time datetime=2024-01-31T10:00:00Z>31 Jan</time><input disabled><ul><li>1<li>two<li><li>3</ul>
<a href=/a>A</a><a name=x>no link</a><a href='http://['>bad</a><a href=b#c>B</a>
<script id=data type=application/json>{"sku":  "x  y"}</script>"""


def read(page: str = PAGE, **options: Any) -> Any:
    tree = LexborHTMLParser(page)
    return extract(tree, compile_rules([FieldSpec("x", **options)]), Resolver(tree, "http://a.example/d/"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # one match
        ({"css": "h1"}, "Blue shoe"),
        ({"css": "title"}, "Shop"),
        ({"css": "p"}, "€ 1.299,00"),
        ({"css": "h6"}, None),
        ({"css": "h6", "default": "none"}, "none"),
        ({"css": ".empty"}, None),
        ({"css": ".empty", "default": "none"}, "none"),
        ({"css": "time", "attr": "datetime"}, "2024-01-31T10:00:00Z"),
        ({"css": "time", "attr": "DATETIME"}, "2024-01-31T10:00:00Z"),
        ({"css": "time", "attr": "title", "default": "-"}, "-"),
        # many
        ({"css": "li", "many": True}, ["1", "two", "", "3"]),
        ({"css": "li", "many": True, "type": "int"}, [1, 3]),
        ({"css": "h6", "many": True}, []),
        ({"css": "h6", "many": True, "default": ["a"]}, ["a"]),
        ({"css": "a", "attr": "name", "many": True}, ["x"]),
        # count and length
        ({"css": "p", "count": True}, 3),
        ({"css": "h6", "count": True}, 0),
        ({"css": "h1", "length": True}, 9),
        ({"css": ".empty", "length": True}, 0),
        ({"css": "h6", "length": True}, None),
        ({"css": "time", "attr": "datetime", "length": True}, 20),
        # types
        ({"css": ".price", "type": "decimal"}, Decimal("1299.00")),
        ({"css": ".price", "type": "float"}, 1299.0),
        ({"css": "h1", "type": "int", "default": -1}, -1),
        ({"css": "time", "attr": "datetime", "type": "date"}, date(2024, 1, 31)),
        ({"css": "input", "attr": "disabled", "type": "bool"}, True),
        ({"css": "input", "attr": "checked", "type": "bool", "default": False}, False),
        ({"css": "a", "attr": "href", "type": "url"}, "http://a.example/a"),
        ({"css": "a", "attr": "href", "type": "url", "many": True}, ["http://a.example/a", "http://a.example/d/b#c"]),
        ({"css": "script#data", "type": "json"}, {"sku": "x  y"}),
        ({"css": "script#data"}, '{"sku": "x y"}'),
        ({"css": "h1", "type": "json", "default": {}}, {}),
        # regex
        ({"css": ".old", "regex": r"\d+"}, "5"),
        ({"css": ".old", "regex": r"\$(\d+)", "type": "int"}, 5),
        ({"css": ".old", "regex": r"(x)?from"}, None),
        ({"css": ".old", "regex": "none", "default": "?"}, "?"),
        ({"css": "p", "regex": r"[$€]", "many": True}, ["€", "$"]),
        ({"css": "h1", "regex": "Blue", "length": True}, 4),
    ],
)
def test_a_field_reads(options: dict[str, Any], expected: object) -> None:
    assert read(**options) == {"x": expected}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"css": "h6"}, "x: nothing matches 'h6'"),
        ({"css": "h6", "count": True}, "x: nothing matches 'h6'"),
        ({"css": "h6", "many": True}, "x: nothing matches 'h6'"),
        ({"css": ".empty"}, "x: '.empty' matches, but its text gives no str"),
        ({"css": "h1", "type": "int"}, "x: 'h1' matches, but its text gives no int"),
        ({"css": "time", "attr": "title"}, "x: 'time' matches, but its attribute 'title' gives no str"),
        ({"css": "h1", "regex": "z"}, "x: 'h1' matches, but its text gives no str by the regex 'z'"),
    ],
)
def test_a_required_field_without_a_value_is_a_fault_that_says_why(options: dict[str, Any], message: str) -> None:
    assert read(required=True, **options) == Fault("required_field", message)


@pytest.mark.parametrize(
    ("page", "options", "expected"),
    [
        ("<p>0", {"css": "p", "type": "int"}, 0),
        ("<p>no", {"css": "p", "type": "bool"}, False),
        ("<p>0", {"css": "p", "type": "decimal"}, Decimal(0)),
    ],
)
def test_zero_and_false_are_values(page: str, options: dict[str, Any], expected: object) -> None:
    assert read(page, required=True, **options) == {"x": expected}


def test_the_base_element_counts_for_urls() -> None:
    assert read("<base href=/r/><a href=x>", css="a", attr="href", type="url") == {"x": "http://a.example/r/x"}
