"""Secrets that come from the environment: where they are put in, and where they may not be seen."""

import tomllib
from pathlib import Path

import pytest

from scraper.config import load_config, resolved_toml
from scraper.config.proxy import masked_proxy, read_proxy
from scraper.config.secrets import expand, is_reference
from scraper.errors import ConfigError

ENVIRONMENT = {"TOKEN": "s3cret", "_x1": "low", "PASS": "p:w/d@%41$TOKEN", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$TOKEN", "s3cret"),
        ("${TOKEN}", "s3cret"),
        ("Bearer ${TOKEN}x $_x1", "Bearer s3cretx low"),
        ("$$TOKEN $$$TOKEN", "$TOKEN $s3cret"),
        ("costs $5, 5$ and ${5}", "costs $5, 5$ and ${5}"),
        ("${TOKEN", "${TOKEN"),
        ("$PASS", "p:w/d@%41$TOKEN"),
    ],
)
def test_names_are_replaced_once(text: str, expanded: str) -> None:
    assert expand(text, ENVIRONMENT) == expanded


@pytest.mark.parametrize("text", ["$NOPE", "a ${NOPE} b", "$TOKEN$NOPE"])
def test_a_missing_variable_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="environment variable NOPE is not set") as caught:
        expand(text, ENVIRONMENT)
    assert "s3cret" not in str(caught.value)


def test_an_empty_variable_counts_as_missing() -> None:
    with pytest.raises(ValueError, match="EMPTY is not set"):
        expand("$EMPTY", ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "answer"), [("$A", True), ("${A}", True), ("$$", False), ("x$A", False), ("$A$B", False), ("", False)]
)
def test_a_reference_is_a_name_and_nothing_else(text: str, answer: bool) -> None:
    assert is_reference(text) is answer


@pytest.mark.parametrize(
    ("text", "shown", "username", "password"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None, ""),
        ("https://proxy.example:3128/", "https://proxy.example:3128", None, ""),
        ("socks5://joe:pw@[::1]:1080", "socks5://[::1]:1080", "joe", "pw"),
        ("socks5h://joe@127.0.0.1:1", "socks5h://127.0.0.1:1", "joe", ""),
        ("http://joe:a%40b%3A@h:1", "http://h:1", "joe", "a@b:"),
        ("http://joe:a/b@c#d@h:1", "http://h:1", "joe", "a/b@c#d"),
        ("http://$_x1:${PASS}@h:1", "http://h:1", "low", "p:w/d@%41$TOKEN"),
        ("$PROXY", "http://h:1", "joe", "$5@"),
    ],
)
def test_proxy_is_read(text: str, shown: str, username: str | None, password: str) -> None:
    proxy = read_proxy(text, {**ENVIRONMENT, "PROXY": "http://joe:$5%40@h:1"})
    assert (str(proxy), proxy.username, proxy.password) == (shown, username, password)
    assert repr(password) not in repr(proxy) or not password


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy.example:3128",
        "joe:s3cret@proxy.example:3128",
        "ftp://joe:s3cret@h:1",
        "HTTP//joe:s3cret@h:1",
        "http://joe:s3cret@h",
        "http://joe:s3cret@h:0",
        "http://joe:s3cret@h:65536",
        "http://joe:s3cret@h:1/path",
        "http://joe:s3cret@caf\u00e9.example:1",
        "http://joe:s3cret@:1",
        "socks5://" + "s3cret" * 43 + "@h:1",
        "socks4://h:1",
    ],
)
def test_what_is_no_proxy_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|bytes") as caught:
        read_proxy(text, ENVIRONMENT)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in masked_proxy(text) or "@" not in text


@pytest.mark.parametrize(
    "override",
    [
        "fetch.proxy=http://joe:s3cret@h",
        "fetch.proxy=http://joe:s3/s3cret@h",
        'fetch.proxy=["http://joe:s3cret@h:1", "joe:s3cret@h"]',
        "fetch.proxy=joe:s3cret@h:1",
        "fetch.headers.Authorization=s3cret\u00e9",
        "fetch.headers={ Cookie = 's3cret\u00e9' }",
        "fetch={ headers = { Cookie = 's3cret\u00e9' } }",
        "fetch.headers.X=$HIDDEN",
        "fetch.proxy=$HIDDEN",
        "fetch.headers.Proxy-Authorization=s3cret",
    ],
)
def test_no_mistake_shows_a_secret(override: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN", "s3cret\u00e9")
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override])
    assert "s3cret" not in str(caught.value)
    assert "fetch." in str(caught.value)


def test_a_missing_variable_is_told_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOPE", raising=False)
    file = tmp_path / "my.toml"
    file.write_text('[fetch]\nproxy = "http://joe:$NOPE@h:1"\nheaders = { X-Key = "$NOPE" }\n')
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all("NOPE is not set" in line and str(file) in line for line in lines)
    assert "X-Key" in str(caught.value)


def test_values_are_put_in_where_they_are_used_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    config = load_config(
        None,
        [
            'fetch.headers.Authorization="Bearer $TOKEN"',
            'fetch.headers.X-Mine="${TOKEN}"',
            'fetch.headers.X-Api-Key="$TOKEN"',
            'fetch.proxy=["http://joe:$TOKEN@a.example:1", "socks5://b.example:2"]',
        ],
    )
    assert config.fetch.sent_headers == {"Authorization": "Bearer s3cret", "X-Mine": "s3cret", "X-Api-Key": "s3cret"}
    assert [(proxy.username, proxy.password) for proxy in config.fetch.proxies] == [("joe", "s3cret"), (None, "")]
    shown = tomllib.loads(resolved_toml(config))["fetch"]
    assert shown["headers"] == {"Authorization": "***", "X-Mine": "${TOKEN}", "X-Api-Key": "$TOKEN"}
    assert shown["proxy"] == ["http://***@a.example:1", "socks5://b.example:2"]
    assert "s3cret" not in resolved_toml(config) + repr(config) + str(config.model_dump())


@pytest.mark.parametrize("value", ['""', "[]"])
def test_no_proxy_can_be_said(value: str) -> None:
    assert load_config(None, [f"fetch.proxy={value}"]).fetch.proxies == ()
