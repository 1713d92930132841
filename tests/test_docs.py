"""The documentation is complete and right: what exists is named in it, and what it names exists and works."""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from selectolax.lexbor import LexborHTMLParser

from scraper.cli import app
from scraper.config import Config, load_config
from scraper.fetch.retry import RETRIED_KINDS, RETRIED_STATUSES
from scraper.parse import values
from scraper.parse.check import check_plan
from scraper.parse.extract import extract
from scraper.parse.links import Resolver
from scraper.parse.rules import compile_rules
from scraper.parse.structured import DEFAULT_FIELDS
from scraper.parse.text import visible_text
from scraper.records import FailureKind, FieldSpec
from scraper.site.answers import Site
from scraper.site.options import SiteOptions
from scraper.write.encode import jsonl_row

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md")}
PAGES["README.md"] = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
SITE = "http://127.0.0.1:8000"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(language: str) -> list[Any]:
    """Every fenced block of a language, named by its page and number."""
    found = [(page, text) for page in sorted(PAGES) for name, text in FENCE.findall(PAGES[page]) if name == language]
    return [pytest.param(text, id=f"{page}-{number}") for number, (page, text) in enumerate(found)]


def tables(page: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Each table of a page: the cells of its head, and those of its rows."""
    for text in re.findall(r"(?:^\|.*\|\n)+", FENCE.sub("", PAGES[page]), re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in text.splitlines()]
        yield [cell.strip("|").strip() for cell in head], [[cell.strip("|").strip() for cell in row] for row in rows]


def table(page: str, *head: str) -> list[list[str]]:
    """The rows of the table with this head."""
    return next(rows for found, rows in tables(page) if found == list(head))


def slugs(page: str) -> set[str]:
    """The anchors of a page's headings, as they are made on the web: lower case, words joined by "-"."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", PAGES[page]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# -- commands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_and_is_in_the_readme(name: str) -> None:
    assert COMMANDS[name].help
    assert f"| `scraper {name}" in PAGES["README.md"]


@pytest.mark.parametrize("option", [opt for param in COMMANDS["run"].params for opt in param.opts if opt[0] == "-"])
def test_option_of_run_is_in_the_readme(option: str) -> None:
    assert re.search(rf"`{re.escape(option)}[` ]", PAGES["README.md"])


def scraper_calls() -> list[Any]:
    """Every call of the tool in an example: its page and the words of the call."""
    calls = []
    for page, text in sorted(PAGES.items()):
        examples = "\n".join(body for language, body in FENCE.findall(text) if language == "console")
        for line in re.findall(r"^\$ (.*)", examples.replace("\\\n", " "), re.MULTILINE):
            words = list(shlex.shlex(line, posix=True, punctuation_chars=";|&"))
            calls += [pytest.param(words[at:], id=f"{page}: {line}") for at in starts(words)]
    return calls


def starts(words: list[str]) -> list[int]:
    return [at for at, word in enumerate(words) if word == "scraper" and (not at or words[at - 1] in ("|", "&&", ";"))]


@pytest.mark.parametrize("words", scraper_calls())
def test_example_uses_a_command_and_options_that_exist(words: list[str]) -> None:
    end = next((at for at, word in enumerate(words) if word in ("|", "&&", ";")), len(words))
    command = COMMANDS[words[1]]
    known = {opt for param in command.params for opt in param.opts}
    assert {word for word in words[2:end] if re.match(r"--?[a-z]", word)} <= known


# -- settings -------------------------------------------------------------------------------------------------------

DEFAULTS = tomllib.loads((ROOT / "config" / "default.toml").read_text(encoding="utf-8"))
SETTINGS = {f"{section}.{key}": value for section, part in DEFAULTS.items() for key, value in part.items()}


@cache
def documented_settings() -> dict[str, str]:
    rows = [row for head, rows in tables("docs/configuration.md") if head[:2] == ["setting", "default"] for row in rows]
    return {row[0].strip("`"): row[1].strip("`") for row in rows}


def test_every_setting_is_in_the_reference_and_no_other() -> None:
    assert documented_settings().keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_documented_default_is_the_default(name: str) -> None:
    assert tomllib.loads(f"value = {documented_settings()[name]}")["value"] == SETTINGS[name]


def test_settings_of_the_readme_exist() -> None:
    named = [row[0].strip("`") for row in table("README.md", "setting", "default", "what it does")]
    assert [name for name in named if name != "[fields]" and name not in SETTINGS] == []


@pytest.mark.parametrize("text", blocks("toml"))
def test_config_in_the_documentation_loads(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"\$([A-Z_]+)", text):
        monkeypatch.setenv(name, "secret")
    path = tmp_path / "example.toml"
    path.write_text(text, encoding="utf-8")
    config = load_config(path)
    assert config != Config()
    compile_rules(config.field_specs())


# -- fields ---------------------------------------------------------------------------------------------------------


def rules_with_values() -> list[Any]:
    return [
        pytest.param(head[0].removeprefix("rule, on "), *row, id=row[0])
        for head, rows in tables("docs/fields.md")
        if head[0].startswith("rule, on ")
        for row in rows
    ]


@cache
def practice_page(path: str) -> LexborHTMLParser:
    site = Site(SiteOptions())
    body = site.answer(site.plan(path), path, "", SITE).body
    assert isinstance(body, bytes)
    return LexborHTMLParser(body)


@pytest.mark.parametrize(("path", "rule", "value"), rules_with_values())
def test_rule_gives_the_documented_value(path: str, rule: str, value: str) -> None:
    document = tomllib.loads(f"[fields]\nfound = {rule.strip('`')}\n")
    tree = practice_page(path)
    specs = Config.model_validate(document).field_specs()
    row = extract(tree, compile_rules(specs), Resolver(tree, SITE + path))
    assert isinstance(row, dict)
    assert jsonl_row(row).decode() == f'{{"found":{value.strip("`")}}}\n'


def test_every_option_of_a_field_is_documented() -> None:
    named = {row[0].strip("`") for row in table("docs/fields.md", "option", "what it does")}
    assert named == set(FieldSpec.__struct_fields__) - {"name"}


def test_default_fields_are_documented_in_their_order() -> None:
    rows = table("docs/fields.md", "key", "what it is", "where there is none")
    assert tuple(row[0].strip("`") for row in rows) == DEFAULT_FIELDS


@pytest.mark.parametrize(("text", "decimal", "whole"), table("docs/fields.md", "text", "decimal", "int"))
def test_number_is_read_as_documented(text: str, decimal: str, whole: str) -> None:
    text = text.strip("`")
    assert [str(values.to_decimal(text)), str(values.to_int(text))] == [
        word.replace("null", "None") for word in (decimal, whole)
    ]


@pytest.mark.parametrize(("texts", "date"), table("docs/fields.md", "text", "date"))
def test_date_is_read_as_documented(texts: str, date: str) -> None:
    read = {str(values.to_date(text)) for text in re.findall(r"`([^`]+)`", texts)}
    assert read == {date.partition(":")[0].replace("null", "None")}


@pytest.mark.parametrize(("text", "moment"), table("docs/fields.md", "text", "datetime"))
def test_datetime_is_read_as_documented(text: str, moment: str) -> None:
    assert json.loads(jsonl_row({"value": values.to_datetime(text.strip("`"))})) == {"value": moment}


@pytest.mark.parametrize(("html", "text"), table("docs/fields.md", "HTML", "text"))
def test_text_is_read_as_documented(html: str, text: str) -> None:
    node = LexborHTMLParser(re.findall("`([^`]+)`", html)[0]).css_first("div, script")
    assert visible_text(node) == text.strip("`")


# -- failures -------------------------------------------------------------------------------------------------------


@cache
def documented_failures() -> dict[str, str]:
    rows = table("docs/output.md", "error", "what happened", "tried again", "what to do")
    return {row[0].strip("`"): row[2] for row in rows}


def named_in_code() -> set[str]:
    """All texts that stand in the package's code, less the list of kinds and the advice on each."""
    files = [path for path in (ROOT / "scraper").rglob("*.py") if path.name not in ("records.py", "reasons.py")]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_kind_of_failure_that_code_can_produce_is_documented_and_no_other() -> None:
    assert documented_failures().keys() == set(get_args(FailureKind)) & named_in_code()


def test_documented_retries_are_those_of_the_policy() -> None:
    tried_again = {kind for kind, answer in documented_failures().items() if answer == "yes"}
    assert tried_again == RETRIED_KINDS
    assert documented_failures()["http_status"] == "some"
    sentence = re.search(r"Of `http_status`, (.*?) are tried again", PAGES["docs/output.md"], re.DOTALL)
    assert sentence is not None
    assert statuses(sentence[1]) == RETRIED_STATUSES


def statuses(words: str) -> set[int]:
    """The numbers in a text, "520 to 527" being all between."""
    ranges = re.findall(r"(\d{3})(?: to (\d{3}))?", words)
    return {status for low, high in ranges for status in range(int(low), int(high or low) + 1)}


# -- links and code -------------------------------------------------------------------------------------------------


def links() -> list[Any]:
    found = [(page, link) for page in sorted(PAGES) for link in LINK.findall(FENCE.sub("", PAGES[page]))]
    return [pytest.param(page, link, id=f"{page}: {link}") for page, link in found if "://" not in link]


@pytest.mark.parametrize(("page", "link"), links())
def test_link_leads_somewhere(page: str, link: str) -> None:
    name, _, anchor = link.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    assert path.exists()
    if anchor:
        assert anchor in slugs(path.resolve().relative_to(ROOT).as_posix())


def test_every_page_is_reached_from_the_readme() -> None:
    assert {page for page in PAGES if page != "README.md"} <= set(LINK.findall(PAGES["README.md"]))


@pytest.mark.parametrize("text", blocks("python"))
def test_python_in_the_documentation_compiles(text: str) -> None:
    compile(text, "example", "exec")


def test_files_named_in_how_it_works_exist() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", PAGES["docs/how-it-works.md"]))
    gone = {name for name in named if not (ROOT / name).exists() and not (ROOT / "scraper" / name).exists()}
    assert named
    assert not gone


def test_function_of_the_documentation_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = next(param.values[0] for param in blocks("python") if "def specs" in str(param.values[0]))
    (tmp_path / "documented_rules.py").write_text(str(source), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    check_plan(Config.model_validate({"parse": {"function": "documented_rules:specs"}}).parse_plan())
