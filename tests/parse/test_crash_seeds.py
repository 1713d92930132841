"""Pages that once killed a parser, run in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SEEDS = Path(__file__).parents[2] / "../shared/cases/fetch/parser_crash_seeds.jsonl"

PROGRAM = """
import json, sys
from scraper.parse.page import load_parser, parse_page
from scraper.records import FieldSpec, Page, ParsePlan
body = sys.stdin.buffer.read()
text, classes = FieldSpec("text", "body"), FieldSpec("all", "*", attr="class", many=True)
fields = (text, classes, FieldSpec("n", "body *", count=True))
for plan in (ParsePlan(), ParsePlan(fields)):
    parser = load_parser(plan)
    for _ in range(2):
        row = parse_page(Page("http://a.example/", "http://a.example/", 200, "text/html", body, 0.0), parser)
        assert isinstance(row, dict), row
print(row["n"])
"""
OWN = [
    ("<svg><template><svg><template>", "nested templates"),
    ("<div>" * 5_000, "deep nesting"),
    ("<b>" * 1_000 + "<p>" * 100, "the adoption agency"),
    ("<table><tr><td>" * 500, "nested tables"),
    ("<select>" + "<option>x" * 20_000, "many options"),
    ("<p " + " ".join(f"a{n}=1" for n in range(5_000)) + ">", "many attributes"),
    ("<p title='" + "x" * 5_000_000 + "'>", "a long attribute"),
    ("\0" * 10_000 + "<p\0>" * 10, "null bytes"),
    ("<title>" * 5_000, "an unclosed title"),
]


def survive(body: bytes) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=body, capture_output=True, timeout=50, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr.decode()[-500:])
    assert int(done.stdout) >= 0


def seeds() -> list[Any]:
    return [json.loads(line) for line in SEEDS.read_text().splitlines()] if SEEDS.exists() else []


@pytest.mark.skipif(not SEEDS.exists(), reason="the shared crash seeds are not on this machine")
def test_the_seeds_of_public_issues_do_not_kill() -> None:
    cases = seeds()
    assert len(cases) >= 7
    for case in cases:
        repeat = case.get("repeat")
        survive((repeat["unit"] * repeat["n"] if repeat else case["html"]).encode())


@pytest.mark.parametrize("html", [html for html, _ in OWN], ids=[name for _, name in OWN])
def test_pages_of_monstrous_shape_do_not_kill(html: str) -> None:
    survive(html.encode())
