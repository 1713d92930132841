"""The model as TOML: complete, readable back, and silent about secrets."""

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.config import Config, load_config, render_toml, resolved_toml
from scraper.config.render import toml_value

CHANGED = [
    "run.memory=64MiB",
    "fetch.timeout=1500ms",
    "fetch.headers.Accept-Language=de",
    'fetch.headers."X.Y"=e',
    "politeness.per_host=3",
    "fields.title=h1",
    'fields."the price"={ css = ".price", type = "decimal", default = 1.5 }',
    "fields.day={ css = 'time', default = 2024-05-01 }",
    "parse.article=true",
]


@pytest.mark.parametrize("comments", [True, False])
@pytest.mark.parametrize("overrides", [[], CHANGED])
def test_rendered_settings_load_to_the_same(overrides: list[str], comments: bool) -> None:
    config = load_config(None, overrides)
    assert Config.model_validate(tomllib.loads(render_toml(config, comments))) == config


def test_every_key_is_rendered_with_its_unit() -> None:
    document = tomllib.loads(render_toml(Config()))
    for section, info in Config.model_fields.items():
        assert section == "fields" or list(document[section]) == list(info.annotation.model_fields)
    assert (document["fetch"]["timeout"], document["fetch"]["max_body"]) == ("30s", "16MiB")


def test_comment_tells_reason_limits_and_the_default_where_it_was_changed() -> None:
    text = render_toml(load_config(None, ["fetch.backoff=2s"]))
    lines = text.splitlines()
    comment = " ".join(lines[lines.index('backoff = "2s"') - 2 : lines.index('backoff = "2s"')]).replace("# ", "")
    assert comment.endswith(
        'The wait before the first retry; it doubles each time, with jitter. (0s to 24h; default "500ms")'
    )
    assert lines[lines.index("retries = 2") - 1].endswith("(0 to 20)")


def test_without_comments_there_are_none() -> None:
    assert "#" not in render_toml(Config(), comments=False)


def test_resolved_settings_hide_secrets_and_show_the_rest() -> None:
    shown = resolved_toml(
        load_config(
            None,
            [
                "fetch.headers.Authorization=Bearer s3cret",
                "fetch.headers.Cookie=s3cret",
                "fetch.headers.X-Api-Key=s3cret",
                "fetch.headers.X-Auth-Token=s3cret",
                "fetch.headers.Referer=https://me:s3cret@a.example/b@c",
                "fetch.headers.Accept-Language=de",
                "politeness.contact=https://me:s3cret@b.example/",
            ],
        )
    )
    assert "s3cret" not in shown
    headers = tomllib.loads(shown)["fetch"]["headers"]
    assert headers == {
        "Authorization": "***",
        "Cookie": "***",
        "X-Api-Key": "***",
        "X-Auth-Token": "***",
        "Referer": "https://***@a.example/b@c",
        "Accept-Language": "de",
    }


values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_any_value_that_toml_can_hold_survives_writing_and_reading(value: object) -> None:
    assert tomllib.loads(f"v = {toml_value(value)}")["v"] == value


def test_what_toml_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="TOML has no form for None"):
        toml_value(None)


def test_date_is_written_bare() -> None:
    assert toml_value([date(2024, 5, 1)]) == "[2024-05-01]"
