"""What a user can get wrong: one line that says what, where and what to do; exit 2; nothing half-written."""

import socket

import pytest

from scraper import cli as command_line

GOOD = "http://127.0.0.1:9/"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with lists and configs of every bad kind, and the current one."""
    monkeypatch.chdir(tmp_path)
    files = {
        "empty.txt": b"",
        "comments.txt": b"# only\n\n# comments\n",
        "binary.txt": bytes(range(256)) * 8,
        "no_url.csv": b"name,link\na,http://b/\n",
        "good.txt": GOOD.encode(),
        "book.xlsx": b"PK\x03\x04",
        "latin.toml": b'[fetch]\ntimeout = "\xe9"\n',
        "syntax.toml": b"[fetch\n",
        "unknown.toml": b"[fetch]\nconcurency = 3\n",
        "type.toml": b'[fetch]\nconcurrency = "many"\n',
        "unpicklable.py": b"answer = 42\n",
        "broken_module.py": b"raise RuntimeError('I do not import')\n",
        "a_file": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a_folder").mkdir()
    return tmp_path


def run(capsys, *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        command_line.main(list(arguments))
    return int(end.value.code or 0), capsys.readouterr().err


CASES = {
    "no source": (["run"], "nothing to scrape"),
    "missing list": (["run", "missing.txt"], "no such file: missing.txt"),
    "empty list": (["run", "empty.txt"], "empty.txt holds no URL"),
    "list of comments": (["run", "comments.txt"], "comments.txt holds no URL"),
    "directory": (["run", "a_folder"], "a_folder is a directory"),
    "binary": (["run", "binary.txt"], "binary.txt is a binary file"),
    "workbook": (["run", "book.xlsx"], "Save the table as CSV"),
    "no url column": (["run", "no_url.csv"], "no column 'url'; its columns are: name, link"),
    "wrong url column": (["run", "no_url.csv", "--url-column", "href"], "no column 'href'"),
    "unknown list format": (["run", "good.txt", "--source-format", "xml"], "unknown list format 'xml'"),
    "unknown output format": (["run", GOOD, "--set", "write.format=xlsx"], "write.format"),
    "output is a file": (["run", GOOD, "-o", "a_file"], "a_file: is a file"),
    "output cannot be made": (["run", GOOD, "-o", "/proc/none"], "/proc/none: cannot be written"),
    "init: a directory": (["init", "a_folder"], "a_folder: is a directory: name a file in it"),
    "inspect: a file that is missing": (["inspect", "missing.html"], "one file that exists"),
    "missing config": (["run", GOOD, "-c", "none.toml"], "none.toml: no such file: write one with `scraper init"),
    "config is a directory": (["check", "a_folder"], "a_folder: is a directory"),
    "config not UTF-8": (["check", "latin.toml"], "latin.toml: not UTF-8"),
    "config not TOML": (["check", "syntax.toml"], "syntax.toml:1:"),
    "unknown key": (["check", "unknown.toml"], "did you mean fetch.concurrency?"),
    "unknown key by --set": (["run", GOOD, "--set", "fetch.concurency=3"], "did you mean fetch.concurrency?"),
    "wrong type": (["check", "type.toml"], "fetch.concurrency"),
    "bad duration": (["run", GOOD, "--set", "fetch.timeout=soon"], 'such as "10s"'),
    "bad selector": (["run", GOOD, "--set", "fields.a=h1[["], "fields.a.css: 'h1[[' is not a CSS selector"),
    "bad regex": (["run", GOOD, "--set", 'fields.a={css="h1",regex="("}'], "fields.a.regex: '('"),
    "function: form": (["run", GOOD, "--set", "parse.function=nonsense"], 'expected "module:callable"'),
    "function: module": (["run", GOOD, "--set", "parse.function=none:f"], "there is no module 'none'"),
    "function: import": (["run", GOOD, "--set", "parse.function=broken_module:f"], "I do not import"),
    "function: name": (["run", GOOD, "--set", "parse.function=unpicklable:f"], "has no 'f'"),
    "function: value": (["run", GOOD, "--set", "parse.function=unpicklable:answer"], "is of type int; a function"),
    "limit of nothing": (["run", GOOD, "--limit", "0"], "limit"),
    "unknown option": (["run", GOOD, "--colour"], "--colour"),
    "inspect no URL": (["inspect", "nonsense"], "not a URL"),
    "site: rates": (["site", "--cut", "0.7", "--slow", "0.7"], "the rates share 1"),
    "site: duration": (["site", "--latency", "later"], "'later' is not a duration"),
    "init over a file": (["init", "syntax.toml"], "--force"),
}


@pytest.mark.parametrize(("arguments", "words"), CASES.values(), ids=CASES.keys())
def test_mistake_is_told_in_words_and_nothing_is_written(capsys, folder, arguments, words):
    before = sorted(folder.rglob("*"))
    code, err = run(capsys, *arguments)
    assert code == 2, err
    assert words in err
    assert "Traceback" not in err
    assert sorted(folder.rglob("*")) == before


def test_mistakes_of_a_config_are_told_one_a_line(capsys, folder):
    code, err = run(capsys, "run", GOOD, "--set", "fetch.retries=-1", "--set", "run.colour=1")
    assert code == 2
    assert len(err.splitlines()) == 2
    assert all(line.startswith("scraper: ") for line in err.splitlines())


def test_port_in_use(capsys, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, err = run(capsys, "site", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "in use" in err
    assert len(err.splitlines()) == 1


def test_folder_with_rows_but_no_journal_is_left_alone(capsys, folder):
    (folder / "output").mkdir()
    (folder / "output" / "pages.jsonl").write_text("somebody's\n")
    code, err = run(capsys, "run", GOOD)
    assert code == 2
    assert "holds rows but no journal" in err
    assert (folder / "output" / "pages.jsonl").read_text() == "somebody's\n"


def test_debug_shows_the_traceback_above_the_line_and_keeps_the_code(capsys, folder):
    code, err = run(capsys, "--debug", "run", "missing.txt")
    assert code == 2
    assert err.startswith("Traceback (most recent call last):")
    assert err.splitlines()[-1] == "scraper: no such file: missing.txt"
