"""What [fields] may say, and how a mistake is told."""

import pickle
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from scraper.errors import ConfigError
from scraper.parse.rules import compile_rules
from scraper.records import FieldSpec


@pytest.mark.parametrize(
    "css",
    ["h1", "a[href^='/x' i]", "main > p:not(.ad):nth-child(2)", ":is(h1, h2)", "p:has(> b)", "p:lexbor-contains('a')"],
)
def test_selectors_that_lexbor_knows_are_taken(css: str) -> None:
    assert compile_rules([FieldSpec("x", css)]).rules[0].css == css


@pytest.mark.parametrize(
    ("css", "hint"),
    [
        ("p[", "expected such as"),
        ("", "expected such as"),
        ("p, ", "expected such as"),
        ("h1::text", "leave ::text out"),
        ("a::attr(href)", 'set attr = "name"'),
        ("//div/a", "XPath"),
        ("p:contains('a')", ":lexbor-contains"),
        ("p:first", ":first-of-type"),
        ("li:eq(2)", ":nth-of-type"),
        ("p\ud800", "expected such as"),
    ],
)
def test_a_bad_selector_is_refused_with_a_hint(css: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=r"^fields\.price\.css: ") as caught:
        compile_rules([FieldSpec("title", "h1"), FieldSpec("price", css)])
    assert repr(css) in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regex": "("}, "fields.x.regex: '(' is not a regular expression"),
        ({"type": "money"}, "fields.x.type: 'money' is no type; expected str, int"),
        ({"attr": " "}, "fields.x.attr: an attribute name was expected"),
        ({"count": True, "attr": "href"}, "count and attr cannot stand together"),
        ({"count": True, "many": True}, "count and many cannot stand together"),
        ({"count": True, "length": True}, "count and length cannot stand together"),
        ({"count": True, "type": "int"}, "count and type cannot stand together"),
        ({"count": True, "regex": "a"}, "count and regex cannot stand together"),
        ({"count": True, "default": 0}, "count and default cannot stand together"),
        ({"length": True, "many": True}, "length and many cannot stand together"),
        ({"length": True, "type": "float"}, "length and type cannot stand together"),
        ({"required": True, "default": "a"}, "required and default cannot stand together"),
        ({"default": 3}, "fields.x.default: 3 is not of the field's type, str"),
        ({"type": "int", "default": "3"}, '"3" is not of the field\'s type, int'),
        ({"type": "int", "default": True}, "true is not of the field's type, int"),
        ({"type": "int", "default": 1.5}, "1.5 is not of the field's type, int"),
        ({"type": "bool", "default": 1}, "1 is not of the field's type, bool"),
        ({"type": "decimal", "default": "many"}, '"many" cannot be read as decimal'),
        ({"type": "date", "default": "soon"}, '"soon" cannot be read as date'),
        ({"type": "date", "default": datetime(2024, 1, 31)}, "is not of the field's type, date"),
        ({"length": True, "default": "a"}, '"a" is not of the field\'s type, int'),
        ({"many": True, "default": "a"}, 'a list was expected, not "a"'),
        ({"many": True, "default": ["a", 1]}, "1 is not of the field's type, str"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_rules([FieldSpec("x", "p", **options)])
    assert str(caught.value).startswith("fields.x")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"many": True}, []),
        ({"many": True, "type": "int", "default": [1, 2]}, [1, 2]),
        ({"type": "float", "default": 3}, 3.0),
        ({"type": "decimal", "default": 0.1}, Decimal("0.1")),
        ({"type": "decimal", "default": "1.50"}, Decimal("1.50")),
        ({"type": "bool", "default": False}, False),
        ({"type": "date", "default": "2024-01-31"}, date(2024, 1, 31)),
        ({"type": "date", "default": date(2024, 1, 31)}, date(2024, 1, 31)),
        ({"type": "datetime", "default": "2024-01-31T12:00"}, datetime(2024, 1, 31, 12)),
        ({"type": "json", "default": {"a": 1}}, {"a": 1}),
        ({"length": True, "default": 0}, 0),
    ],
)
def test_a_default_has_the_fields_type(options: dict[str, Any], expected: object) -> None:
    default = compile_rules([FieldSpec("x", "p", **options)]).rules[0].default
    assert (default, type(default)) == (expected, type(expected))


def test_the_order_of_the_file_is_kept() -> None:
    rules = compile_rules([FieldSpec("b", "p"), FieldSpec("a", "p")])
    assert [rule.name for rule in rules.rules] == ["b", "a"]


def test_the_complaint_survives_the_way_to_another_process() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_rules([FieldSpec("x", "p[")])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
