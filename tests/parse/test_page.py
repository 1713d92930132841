"""A page from bytes to row."""

import gc
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from scraper.errors import ConfigError
from scraper.parse.page import PageParser, load_parser, parse_page, rfc3339
from scraper.parse.rules import compile_rules
from scraper.records import Fault, FieldSpec, Page, ParsePlan

TITLE = (FieldSpec("title", "title"),)


def page(body: bytes = b"<title>T</title>", content_type: str = "text/html", **more: Any) -> Page:
    return Page("HTTP://a.example", "http://a.example/", 200, content_type, body, 1_700_000_000.25, **more)


def parse(target: Page, fields: tuple[FieldSpec, ...] = TITLE) -> Any:
    return parse_page(target, load_parser(ParsePlan(fields)))


def parse_with(function: Any, target: Page | None = None) -> Any:
    return parse_page(target or page(), PageParser(compile_rules(TITLE), function=function, function_path="own:fn"))


def test_a_row_begins_with_its_own_keys_and_ends_with_the_fields() -> None:
    row = parse(page())
    assert list(row.items()) == [
        ("url", "HTTP://a.example"),
        ("final_url", "http://a.example/"),
        ("status", 200),
        ("fetched_at", "2023-11-14T22:13:20.250Z"),
        ("title", "T"),
    ]


def test_the_inputs_other_columns_are_carried_and_give_way_to_names_that_are_taken() -> None:
    row = parse(page(extra={"id": 7, "url": "u", "title": "t", "input_title": "i"}))
    assert list(row)[4:] == ["id", "input_url", "input_title", "input_input_title", "title"]
    assert (row["id"], row["input_url"], row["title"]) == (7, "u", "T")
    assert (row["input_title"], row["input_input_title"]) == ("t", "i")


def test_a_kept_body_is_named() -> None:
    assert parse(page(body_file="bodies/ab.html"))["body_file"] == "bodies/ab.html"


def test_without_fields_the_default_ones_are_read() -> None:
    assert list(parse(page(), ()))[4:] == ["title", "description", "h1", "canonical", "lang", "links", "og", "jsonld"]


@pytest.mark.parametrize("body", [b"", b"\0", b"\xff\xfe", b"<", b"</", b"<!--", b"\xef\xbb\xbf", b"<title>", b"\x80"])
def test_a_page_with_next_to_nothing_in_it_gives_a_row_without_values(body: bytes) -> None:
    assert parse(page(body))["title"] is None


def test_the_charset_is_decided_before_parsing() -> None:
    assert parse(page("<title>Ж</title>".encode("cp1251"), "text/html; charset=windows-1251"))["title"] == "Ж"


def test_what_is_no_html_is_a_fault() -> None:
    assert parse(page(b"%PDF-1.4", "application/pdf")) == Fault("not_html", "PDF", 200)


def test_a_missing_required_field_is_a_fault() -> None:
    fault = parse(page(), (FieldSpec("price", ".price", required=True),))
    assert fault == Fault("required_field", "price: nothing matches '.price'", 200)


def test_links_are_absolute_to_the_url_that_answered() -> None:
    links = (FieldSpec("links", "a", attr="href", type="url", many=True),)
    assert parse(page(b"<a href=x>"), links)["links"] == ["http://a.example/x"]


def test_thousands_of_options_do_not_take_the_square_of_their_time() -> None:
    # with Lexbor's mutation events this takes minutes
    row = parse(page(b"<select>" + b"<option>x" * 150_000), (FieldSpec("n", "option", count=True),))
    assert row["n"] == 150_000


def test_the_functions_keys_follow_the_fields_and_may_replace_them() -> None:
    def function(page: Page, tree: LexborHTMLParser) -> Mapping[str, Any]:
        assert tree.css("title")
        return {"size": len(page.body), "title": "mine"}

    row = parse_with(function)
    assert list(row.items())[4:] == [("title", "mine"), ("size", 16)]


def test_the_function_cannot_replace_the_rows_own_keys() -> None:
    assert parse_with(lambda page, tree: {"url": "x"}) == Fault(
        "parse_crash", "own:fn returned the key 'url', which is the row's own", 200
    )


def test_what_the_function_raises_is_the_pages_outcome() -> None:
    def function(page: Page, tree: LexborHTMLParser) -> Mapping[str, Any]:
        raise ValueError("no price")

    assert parse_with(function) == Fault("parse_crash", "own:fn raised ValueError: no price", 200)


def test_what_a_row_cannot_hold_is_the_pages_outcome() -> None:
    fault = parse_with(lambda page, tree: {"a": object()})
    assert fault.kind == "parse_crash"
    assert fault.message.startswith("own:fn returned under 'a' what no row can hold")


def test_running_out_of_memory_is_told_apart() -> None:
    def function(page: Page, tree: LexborHTMLParser) -> Mapping[str, Any]:
        raise MemoryError

    assert parse_with(function).kind == "parse_memory"


def test_a_parser_that_gets_no_memory_is_told_apart() -> None:
    pytest.importorskip("resource", reason="address space cannot be limited here")
    program = """
import resource
from scraper.parse.page import load_parser, parse_page
from scraper.records import Page, ParsePlan
parser, body = load_parser(ParsePlan()), b"<p>x" * 4_000_000
limit = 256 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(parse_page(Page("http://a.example/", "http://a.example/", 200, "text/html", body, 0.0), parser).kind)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout == "parse_memory\n"


def test_loading_checks_rules_and_function() -> None:
    with pytest.raises(ConfigError, match=r"fields\.x\.css"):
        load_parser(ParsePlan((FieldSpec("x", "["),)))
    with pytest.raises(ConfigError, match=r"parse\.function"):
        load_parser(ParsePlan(function="no_such_module_here:fn"))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0, "1970-01-01T00:00:00.000Z"), (1_700_000_000.9996, "2023-11-14T22:13:20.999Z")]
)
def test_moments_are_rfc_3339_in_utc(seconds: float, expected: str) -> None:
    assert rfc3339(seconds) == expected


def test_a_parsed_page_leaves_no_cycle_behind() -> None:
    """A cycle would keep whole trees in memory until the collector, which the workers seldom call, comes by."""
    page = Page("http://a.example/", "http://a.example/", 200, "text/html", b"<p>a<a href=x>b</a><a href=y>c</a>", 0.0)
    specs = (FieldSpec("t", "body"), FieldSpec("u", "a[href]", attr="href", type="url", many=True))
    for fields in (specs, ()):
        parser = load_parser(ParsePlan(fields))
        parse_page(page, parser)
        gc.collect()
        gc.disable()
        try:
            parse_page(page, parser)
            assert gc.collect() == 0
        finally:
            gc.enable()
