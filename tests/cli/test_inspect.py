"""`scraper inspect`: what each rule finds on a page, as tables or JSON."""

import json

import pytest
from pytest_httpserver import HTTPServer

from scraper import cli

HTML = '<title>A page</title><h1>Hello</h1><p>one</p><p>two</p><a href="/x">x</a>'

HARM = """
import ctypes, os
def crash(page, tree): ctypes.string_at(0)
def leave(page, tree): os._exit(0)
def hang(page, tree):
    while True: pass
def fill(page, tree): bytearray(3 << 30)
"""


def inspect(capfd, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["inspect", *arguments])
    out, err = capfd.readouterr()
    return int(end.value.code or 0), out, err


@pytest.fixture
def page(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/").respond_with_data(HTML, content_type="text/html; charset=utf-8")
    httpserver.expect_request("/moved").respond_with_data(status=302, headers={"Location": "/"})
    httpserver.expect_request("/gone").respond_with_data("gone", status=410)
    return httpserver.url_for("/")


def test_tables_show_the_way_the_charset_and_what_each_rule_finds(capfd, page):
    rules = ["--set", "fields.head=h1", "--set", 'fields.all={css="p",many=true}', "--set", "fields.none=h6"]
    code, out, err = inspect(capfd, page + "moved", *rules)
    assert (code, err) == (0, "")
    assert "302 to" in out
    assert f"200, {len(HTML)} bytes, text/html" in out
    assert "charset: UTF-8" in out or "charset: utf-8" in out
    found = {cells[0]: cells[1:] for line in out.splitlines() if len(cells := cells_of(line)) == 4}
    assert found["head"] == ["h1", "1", "Hello"]
    assert found["all"] == ["p", "2", '["one", "two"]']
    assert found["none"] == ["h6", "0", "-"]


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_json_is_the_row_and_nothing_else(capfd, page):
    code, out, err = inspect(capfd, page, "--json", "--set", "fields.head=h1")
    row = json.loads(out)
    assert (code, err) == (0, "")
    assert (row["url"], row["status"], row["head"]) == (page, 200, "Hello")


@pytest.mark.parametrize(
    ("path", "rules", "words"),
    [
        ("gone", [], "no row: http_status"),
        ("", ["--set", 'fields.price={css=".price",required=true}'], "no row: required_field: price"),
    ],
)
def test_page_without_a_row_ends_with_1_and_gives_no_json(capfd, page, path, rules, words):
    code, out, err = inspect(capfd, page + path, "--json", *rules)
    assert (code, out) == (1, "")
    assert words in err
    code, out, err = inspect(capfd, page + path, *rules)
    assert (code, words in err) == (1, True)
    assert page in out


def test_local_file_is_read_as_a_page(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept.html").write_text(HTML)
    code, out, _ = inspect(capfd, "kept.html", "--json", "--set", "fields.head=h1")
    assert (code, json.loads(out)["head"]) == (0, "Hello")


def test_what_the_users_function_prints_is_kept_out_of_the_answer(capfd, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "noisy_rules.py").write_text(
        "print('importing')\ndef extract(page, tree):\n    print('running')\n    return {'n': 1}\n"
    )
    (tmp_path / "kept.html").write_text(HTML)
    code, out, err = inspect(
        capfd, str(tmp_path / "kept.html"), "--json", "--set", "parse.function=noisy_rules:extract"
    )
    assert (code, json.loads(out)["n"]) == (0, 1)
    assert err.split().count("running") == 1


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("crash", "no row: parse_crash: the parse worker died on this page"),
        ("leave", "no row: parse_crash: the parse worker died on this page"),
        ("hang", "no row: parse_timeout: the page took longer than parse.timeout (0.5 s)"),
        ("fill", "no row: parse_memory"),
    ],
)
def test_page_that_harms_its_process_is_told_as_in_a_run(capfd, tmp_path, monkeypatch, function, words):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "harmful_rules.py").write_text(HARM)
    (tmp_path / "kept.html").write_text(HTML)
    settings = (f"parse.function=harmful_rules:{function}", "parse.timeout=500ms", "parse.max_memory=512MiB")
    more = [word for setting in settings for word in ("--set", setting)]
    code, _, err = inspect(capfd, str(tmp_path / "kept.html"), *more)
    assert (code, words in err) == (1, True), err
