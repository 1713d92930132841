"""What the parts of a run are told of the configuration."""

import json
import pickle
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

import scraper.config
from scraper.config import Config, FieldConfig, PolitenessConfig, load_config, row_shape
from scraper.records import Column, FieldSpec, ParsePlan
from scraper.write import encode

SETTINGS = [
    "fields.title=h1",
    'fields.price={ css = ".price", type = "decimal", required = true, regex = "[0-9]+" }',
    'fields.day={ css = "time", default = 2024-05-01 }',
    "parse.function=my_rules:extract",
    "parse.article=true",
    "write.format=csv",
]


def test_parse_plan_holds_all_that_a_worker_needs() -> None:
    plan = load_config(None, SETTINGS).parse_plan(columns=(Column("url"), Column("title")))
    assert plan == ParsePlan(
        fields=(
            FieldSpec("title", "h1"),
            FieldSpec("price", ".price", type="decimal", required=True, regex="[0-9]+"),
            FieldSpec("day", "time", default=date(2024, 5, 1)),
        ),
        article=True,
        function="my_rules:extract",
        formats=("csv",),
        columns=(Column("url"), Column("title")),
    )
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_parse_plan_of_the_defaults_asks_for_the_default_fields() -> None:
    assert Config().parse_plan() == ParsePlan()


def test_field_has_the_same_keys_as_the_workers_record() -> None:
    assert {"name", *FieldConfig.model_fields} == set(FieldSpec.__struct_fields__)


def test_names_refused_for_fields_are_the_keys_that_rows_begin_with() -> None:
    assert scraper.config.ROW_KEYS == encode.ROW_KEYS


def test_row_shape_is_plain_json_data() -> None:
    shape = row_shape(load_config(None, SETTINGS))
    assert json.loads(json.dumps(shape)) == shape
    assert shape["fields"]["day"]["default"] == "2024-05-01"


@pytest.mark.parametrize(
    "change",
    [
        "fields.title=h2",
        "fields.more=p",
        "fields.day.default=2024-05-02",
        "parse.function=my_rules:other",
        "parse.article=false",
        "write.format=jsonl",
        'write.format=["csv", "jsonl"]',
        "write.path=elsewhere.csv",
        "write.dedupe=content",
    ],
)
def test_row_shape_differs_when_rows_would(change: str) -> None:
    assert row_shape(load_config(None, [*SETTINGS, change])) != row_shape(load_config(None, SETTINGS))


@pytest.mark.parametrize("change", ["fetch.concurrency=2", "politeness.delay=1s", "parse.processes=2", "run.window=9"])
def test_row_shape_stays_when_only_the_speed_changes(change: str) -> None:
    assert row_shape(load_config(None, [*SETTINGS, change])) == row_shape(load_config(None, SETTINGS))


@pytest.mark.parametrize(("form", "same"), [("csv", False), ("jsonl", True)])
def test_order_of_fields_counts_where_it_is_the_order_of_columns(form: str, same: bool) -> None:
    one = load_config(None, [f"write.format={form}", "fields.a=p", "fields.b=q"])
    two = load_config(None, [f"write.format={form}", "fields.b=q", "fields.a=p"])
    assert (row_shape(one) == row_shape(two)) is same


def test_agent_names_the_contact_where_there_is_one() -> None:
    assert PolitenessConfig().agent == "hybrid-scraper/0.1"
    contact = PolitenessConfig(contact=" https://example.org/bot ")
    assert contact.agent == "hybrid-scraper/0.1 (+https://example.org/bot)"


def test_settings_cannot_change_after_load() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().fetch.retries = 3  # type: ignore[misc]


def test_units_do_not_wait_for_the_model() -> None:
    code = "import sys, scraper.config; scraper.config.parse_size('1KiB'); print('pydantic' in sys.modules)"
    root = Path(scraper.config.__file__).parents[2]
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert shown.stdout.strip() == "False"


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(scraper.config, name) is not None for name in scraper.config.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = scraper.config.Nothing
