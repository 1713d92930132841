"""Loading a file and --set options: what they come to, and one line for each thing that is wrong."""

import re
from pathlib import Path

import pytest

from scraper.config import Config, FieldConfig, load_config, with_fields
from scraper.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    file = folder / "my.toml"
    file.write_text(text, encoding="utf-8")
    return file


def complaints(folder: Path, text: str, *overrides: str) -> list[str]:
    """The lines of the error, the folder's name taken off."""
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), overrides)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_no_file_gives_the_defaults() -> None:
    assert load_config(None) == Config()


def test_values_are_held_in_seconds_and_bytes(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[fetch]\ntimeout = "1m30s"\nmax_body = "1MiB"\nbackoff = 2\n'))
    assert (config.fetch.timeout, config.fetch.max_body, config.fetch.backoff) == (90.0, 1024**2, 2.0)


def test_byte_order_mark_of_windows_editors_is_no_error(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "\ufeff[fetch]\nretries = 5\n")).fetch.retries == 5


def test_field_is_a_selector_or_a_table(tmp_path: Path) -> None:
    fields = load_config(write(tmp_path, '[fields]\na = "h1"\nb = { css = "p", many = true }\n')).fields
    assert fields == {"a": FieldConfig(css="h1"), "b": FieldConfig(css="p", many=True)}


def test_fields_keep_the_order_of_the_file(tmp_path: Path) -> None:
    assert list(load_config(write(tmp_path, '[fields]\nz = "a"\na = "b"\nm = "c"\n')).fields) == ["z", "a", "m"]


def test_article_in_fields_is_the_parse_setting(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[fields]\narticle = true\ntitle = "h1"\n'))
    assert config.parse.article
    assert list(config.fields) == ["title"]


def test_article_with_a_selector_is_a_field_like_any_other(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[fields]\narticle = "article"\n'))
    assert not config.parse.article
    assert list(config.fields) == ["article"]


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("fetch.concurrency=128", "fetch", "concurrency", 128),
        ("fetch.timeout=5s", "fetch", "timeout", 5.0),
        ('fetch.timeout="5s"', "fetch", "timeout", 5.0),
        (" fetch.timeout = 0.5 ", "fetch", "timeout", 0.5),
        ("politeness.user_agent=my bot/1", "politeness", "user_agent", "my bot/1"),
        ("fetch.verify_tls=false", "fetch", "verify_tls", False),
        ("fetch.headers.X-Mode=a=b", "fetch", "headers", {"X-Mode": "a=b"}),
        ('fetch.headers={ X-Mode = "a" }', "fetch", "headers", {"X-Mode": "a"}),
        ("parse.function=", "parse", "function", ""),
        ("politeness.contact=a # b", "politeness", "contact", "a # b"),
    ],
)
def test_override_takes_toml_or_a_bare_text(override: str, section: str, key: str, value: object) -> None:
    assert getattr(getattr(load_config(None, [override]), section), key) == value


def test_overrides_change_the_file_and_the_last_one_counts(tmp_path: Path) -> None:
    file = write(tmp_path, "[fetch]\nretries = 1\nconcurrency = 5\n")
    config = load_config(file, ["fetch.retries=2", "fetch.retries=3", "fields.title=#main h1", "fields.n.css=p"])
    assert (config.fetch.retries, config.fetch.concurrency) == (3, 5)
    assert config.fields == {"title": FieldConfig(css="#main h1"), "n": FieldConfig(css="p")}


def test_fields_given_in_code_replace_those_of_the_config_and_nothing_else() -> None:
    config = with_fields(load_config(None, ["fields.a=p", "fetch.timeout=5s"]), {"b": "h1", "article": True})
    assert config.fields == {"b": FieldConfig(css="h1")}
    assert (config.fetch.timeout, config.parse.article) == (5.0, True)


def test_mistake_in_fields_given_in_code_is_told_like_any_other() -> None:
    with pytest.raises(ConfigError, match=r"^fields\.b\.many = 1: expected true or false$"):
        with_fields(Config(), {"b": {"css": "p", "many": 1}})


DURATION = 'expected a duration from 1ms to 24h, such as "10s"'
FIELD = 'expected a CSS selector or a table, such as { css = ".price", type = "decimal" }'
WRONG = {
    "unknown key": (
        "[fetch]\nconcurency = 5",
        "my.toml: fetch.concurency is not a setting: did you mean fetch.concurrency?",
    ),
    "key of another section": (
        "[fetch]\ndelay = 5",
        "my.toml: fetch.delay is not a setting: did you mean politeness.delay?",
    ),
    "key outside any section": (
        "concurrency = 5",
        "my.toml: concurrency is not a setting: did you mean fetch.concurrency?",
    ),
    "unknown section": ("[fetcher]\na = 5", "my.toml: fetcher is not a setting: did you mean fetch?"),
    "unknown key, nothing near": (
        "[network]\nzzz = 5",
        "my.toml: network.zzz is not a setting: known here: private_addresses",
    ),
    "setting of a later version": (
        "[follow]\nmax_depth = 2",
        "my.toml: follow is not a setting: known here: run, fetch, politeness, network, parse, fields, write",
    ),
    "no duration": ('[fetch]\ntimeout = "ten"', f'my.toml: fetch.timeout = "ten": {DURATION}'),
    "duration out of range": ('[fetch]\ntimeout = "0s"', f'my.toml: fetch.timeout = "0s": {DURATION}'),
    "number out of range": (
        "[fetch]\nconcurrency = 0",
        'my.toml: fetch.concurrency = 0: expected "auto" or a whole number from 1 to 4096',
    ),
    "number as text": (
        '[fetch]\nconcurrency = "64"',
        'my.toml: fetch.concurrency = "64": expected "auto" or a whole number from 1 to 4096',
    ),
    "a bool is no number": (
        "[fetch]\nretries = true",
        "my.toml: fetch.retries = true: expected a whole number from 0 to 20",
    ),
    "a table is no number": (
        "[fetch]\nretries = { most = 3 }",
        "my.toml: fetch.retries is a table: expected a whole number from 0 to 20",
    ),
    "a table is neither a text nor a list": (
        "[write.format]\nname = 'csv'",
        "my.toml: write.format is a table: expected a text or a list of texts",
    ),
    "a number is no bool": ("[fetch]\nverify_tls = 1", "my.toml: fetch.verify_tls = 1: expected true or false"),
    "no such choice": (
        '[network]\nprivate_addresses = "no"',
        'my.toml: network.private_addresses = "no": expected "listed", "deny" or "allow"',
    ),
    "auto or a number": (
        '[politeness]\nper_host = "all"',
        'my.toml: politeness.per_host = "all": expected "auto" or a whole number from 1 to 4096',
    ),
    "auto or a size": (
        '[run]\nmemory = "lots"',
        'my.toml: run.memory = "lots": expected "auto" or a size from 1MiB to 1TiB, such as "16MiB"',
    ),
    "section as a value": ("fetch = 5", "my.toml: fetch = 5: expected a table, [fetch]"),
    "header that is no text": ("[fetch.headers]\nA = 1", "my.toml: fetch.headers.A = 1: expected a text"),
    "header of the scraper's own": (
        '[fetch.headers]\nhost = "x"',
        "my.toml: fetch.headers: host cannot be set: it follows from the URL",
    ),
    "header that breaks its line": (
        '[fetch.headers]\nA = "x\\r\\nB: y"',
        "my.toml: fetch.headers: A: a header takes printable ASCII on one line",
    ),
    "header name that is none": (
        '[fetch.headers]\n"A B" = "x"',
        "my.toml: fetch.headers: 'A B' is no header name: use letters, digits and -",
    ),
    "agent that is no header": (
        '[politeness]\nuser_agent = "Büro"',
        'my.toml: politeness.user_agent = "Büro": a header takes printable ASCII on one line',
    ),
    "agent left out": (
        '[politeness]\nuser_agent = " "',
        'my.toml: politeness.user_agent = " ": expected a name, such as "hybrid-scraper/0.1"',
    ),
    "function that is no path": (
        '[parse]\nfunction = "rules.py"',
        'my.toml: parse.function = "rules.py": expected "module:callable", such as "my_rules:extract"',
    ),
    "field that is a number": ("[fields]\na = 5", f"my.toml: fields.a = 5: {FIELD}"),
    "field that is a switch": ("[fields]\na = true", f"my.toml: fields.a = true: {FIELD}"),
    "field with an empty selector": ('[fields]\na = ""', f'my.toml: fields.a = "": {FIELD}'),
    "field without a selector": (
        "[fields]\na = { many = true }",
        'my.toml: fields.a.css is missing: expected a CSS selector, such as "h1"',
    ),
    "field with an unknown key": (
        '[fields]\na = { css = "p", atr = "x" }',
        "my.toml: fields.a.atr is not a setting: did you mean fields.a.attr?",
    ),
    "field of an unknown type": (
        '[fields]\na = { css = "p", type = "number" }',
        'my.toml: fields.a.type = "number": expected "str", "int", "float", "decimal", "bool", "date", "datetime", '
        '"url" or "json"',
    ),
    "field named as a key of the row": (
        '[fields]\nstatus = "p"',
        "my.toml: fields: status is the row's own key: choose another name",
    ),
    "article said twice, and not the same": (
        "[parse]\narticle = false\n[fields]\narticle = true",
        "my.toml: fields.article and parse.article say the opposite of each other: keep one",
    ),
    "budget smaller than a page": (
        '[run]\nmemory = "2MiB"',
        'my.toml: run.memory = "2MiB" cannot hold one page of fetch.max_body = "16MiB": '
        "raise the first or lower the second",
    ),
}


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG.keys())
def test_mistake_gives_one_line_that_says_what_and_where(tmp_path: Path, text: str, line: str) -> None:
    assert complaints(tmp_path, text) == [line]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    lines = complaints(
        tmp_path, "[fetch]\nretries = -1\nspeed = 9\n[parse]\nprocesses = 0\n[fields]\na = { css = 1 }\n"
    )
    assert [line.split(" ")[1] for line in lines] == ["fetch.retries", "fetch.speed", "parse.processes", "fields.a.css"]


def test_mistake_in_an_override_names_the_option_and_not_the_file(tmp_path: Path) -> None:
    lines = complaints(tmp_path, "[fetch]\nretries = -1\n", "fetch.timout=5s", "fields.a.type=number")
    assert lines == [
        "my.toml: fetch.retries = -1: expected a whole number from 0 to 20",
        "--set fetch.timout=5s: fetch.timout is not a setting: did you mean fetch.timeout?",
        'my.toml: fields.a.css is missing: expected a CSS selector, such as "h1"',
        '--set fields.a.type=number: fields.a.type = "number": expected "str", "int", "float", "decimal", "bool", '
        '"date", "datetime", "url" or "json"',
    ]


@pytest.mark.parametrize("override", ["fetch.retries", "=5", "a b=5", "fetch.=5", "a=1\nb=2=3", "[fetch]=1"])
def test_override_that_is_not_key_and_value_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"--set {override}: ")):
        load_config(None, [override])


def test_override_inside_a_value_is_refused(tmp_path: Path) -> None:
    assert complaints(tmp_path, '[fields]\na = "p"\n', "fields.a.many=true") == [
        "--set fields.a.many=true: fields.a is a value, not a table: set fields.a itself"
    ]


def test_secrets_do_not_appear_in_messages(tmp_path: Path) -> None:
    text = '[fetch.headers]\nAuthorization = "Bearer s3cret\\n"\n[politeness]\ncontact = "http://me:s3cret@a.example/\\n"\n'
    lines = complaints(tmp_path, text)
    assert len(lines) == 2
    assert not any("s3cret" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[fetch\n", "my.toml:1:7: not TOML: Expected ']' at the end of a table declaration"),
        ("[fetch]\nretries = \n", "my.toml:2:11: not TOML: Invalid value"),
        ('[fetch]\ntimeout = "10s', "my.toml:2:15: not TOML: "),
        ("[fetch]\n[fetch]\n", "my.toml:2:7: not TOML: Cannot declare ('fetch',) twice"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_column(tmp_path: Path, text: str, line: str) -> None:
    (found,) = complaints(tmp_path, text)
    assert found.startswith(line)


def test_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    with pytest.raises(ConfigError, match=re.escape(f"{file}: no such file: write one with `scraper init {file}`")):
        load_config(file)


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory: name a TOML file in it"):
        load_config(tmp_path)


def test_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_bytes(b'[politeness]\ncontact = "B\xfcro"\n')
    with pytest.raises(ConfigError, match=r"not UTF-8 text \(byte 25\): save the file as UTF-8"):
        load_config(file)
