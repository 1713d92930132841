"""Pages of public issues that once killed a parser, among good ones in a whole run: they cost at most their own row."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.hostile.answers import page, sized
from tests.hostile.behaviours import Behaviour
from tests.hostile.running import run_over

SEEDS = Path(__file__).parents[3] / "shared" / "cases" / "fetch" / "parser_crash_seeds.jsonl"

FUNCTION = """
import os
from contextlib import suppress

def extract(page, tree):
    if b"kill me" in page.body:
        os.abort()
    sizes = [len(tree.html or ""), len(tree.body.text())]
    sizes += [len(node.parent.attributes) for node in tree.root.traverse() if node.parent is not None]
    with suppress(Exception):
        sizes.append(len(tree.css('li:lexbor-contains("foo")')))
    tree.unwrap_tags(["data"])
    tree.strip_tags(["script", "select", "option"])
    return {"sum": sum(sizes) + len(tree.body.text() if tree.body else "")}
"""
"""What the issues did to their pages, and a page that kills for certain: so that a worker does die in this run."""


def behaviour(html: bytes) -> Behaviour:
    return Behaviour((sized(html, "Content-Type: text/html"),))


def seeds() -> dict[str, Behaviour]:
    found = {}
    for case in map(json.loads, SEEDS.read_text().splitlines()):
        repeat = case.get("repeat")
        html = repeat["unit"] * repeat["n"] if repeat else case["html"]
        found[case["id"]] = behaviour(html.encode())
    return found


@pytest.mark.skipif(not SEEDS.exists(), reason="the shared crash seeds are not on this machine")
def test_a_page_that_kills_its_worker_costs_at_most_its_own_row(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text(FUNCTION)
    cases = seeds()
    good = {f"good {number}": behaviour(page(f"good {number}")) for number in range(30)}
    settings = ("parse.function=steps:extract", "parse.processes=2", "parse.timeout=5s", "fetch.retries=0")
    run = asyncio.run(run_over({**good, **cases, "kills": behaviour(page("kill me"))}, tmp_path, settings))
    assert run.code == 0, run.stderr
    assert len(cases) >= 7
    outcomes = run.outcomes
    assert {name: outcomes[name] for name in good} == dict.fromkeys(good, "ok")
    assert outcomes["kills"] == "parse_crash"
    assert {outcomes[name] for name in cases} <= {"ok", "parse_crash"}
    assert len(run.rows) + len(run.failures) == len(outcomes) == len(good) + len(cases) + 1
    assert run.left == []
