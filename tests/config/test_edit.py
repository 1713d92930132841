"""Setting keys in the text of a TOML file: the document says what it should, and all else stands as it was."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.config.edit import BOM, Setting, with_settings
from scraper.errors import ConfigError

REQUESTS = Setting("fetch", "concurrency", 128, "128 gave 912 pages/s, 64 655 (+-3 %)")
MODEL = Setting("run", "model", "sharded", "sharded gave 912 pages/s")
BATCH = Setting("parse", "batch_bytes", "256KiB", "256KiB gave 912 pages/s")
WHY = "# scraper tune, 2026-11-22: concurrency 128 gave 912 pages/s, 64 655 (+-3 %)"
WHY_MODEL = "# scraper tune, 2026-11-22: model sharded gave 912 pages/s"


def edited(text: str, *settings: Setting, on: str = "2026-11-22") -> str:
    return with_settings(text, settings or (REQUESTS,), by="scraper tune", on=on)


CASES = {
    "a key that is there keeps its comment": (
        "# top\n[fetch]\nconcurrency = 64   # mine\nretries = 2\n",
        f"# top\n[fetch]\n{WHY}\nconcurrency = 128   # mine\nretries = 2\n",
    ),
    "a comment of the user above it stays": (
        "[fetch]\n# few, for the server is weak\nconcurrency = 64\n",
        f"[fetch]\n# few, for the server is weak\n{WHY}\nconcurrency = 128\n",
    ),
    "the reason of an earlier tune goes": (
        "[fetch]\n# mine\n# scraper tune, 2025-01-01: concurrency 64 gave 3 pages/s\n# mine too\nconcurrency = 64\n",
        f"[fetch]\n# mine\n# mine too\n{WHY}\nconcurrency = 128\n",
    ),
    "the reason of another key does not": (
        "# scraper tune, 2025-01-01: timeout 3 gave 3 pages/s\nfetch = { timeout = 3, concurrency = 64 }\n",
        f"# scraper tune, 2025-01-01: timeout 3 gave 3 pages/s\n{WHY}\nfetch = {{ timeout = 3, concurrency = 128 }}\n",
    ),
    "a new key goes to the others, above what speaks of the next section": (
        "[fetch]\nretries = 2\n\n# about politeness\n[politeness]\ndelay = 0\n",
        f"[fetch]\nretries = 2\n{WHY}\nconcurrency = 128\n\n# about politeness\n[politeness]\ndelay = 0\n",
    ),
    "a key that is commented out is followed by the one that counts": (
        "[fetch]\nretries = 2\n\n# concurrency = 12\n\n# about politeness\n[politeness]\n",
        f"[fetch]\nretries = 2\n\n# concurrency = 12\n{WHY}\nconcurrency = 128\n\n# about politeness\n[politeness]\n",
    ),
    "a section that is not there goes to the end": (
        "[fields]\ntitle = 'h1'\n# the end\n",
        f"[fields]\ntitle = 'h1'\n# the end\n\n[fetch]\n{WHY}\nconcurrency = 128\n",
    ),
    "so does one of which only a part is there": (
        "# heads\n[fetch.headers]\nA = 'b'\n",
        f"# heads\n[fetch.headers]\nA = 'b'\n\n[fetch]\n{WHY}\nconcurrency = 128\n",
    ),
    "an inline table": (
        "fetch = { retries = 2, concurrency = 64 } # x\n",
        f"{WHY}\nfetch = {{ retries = 2, concurrency = 128 }} # x\n",
    ),
    "an inline table without it": (
        "fetch = { retries = 2 } # x\n",
        f"{WHY}\nfetch = {{ retries = 2, concurrency = 128}} # x\n",
    ),
    "dotted keys": (
        "fetch.retries = 2\nfetch.concurrency=64 # y\nrun.window = 9\n",
        f"fetch.retries = 2\n{WHY}\nfetch.concurrency=128 # y\nrun.window = 9\n",
    ),
    "dotted keys without it": (
        "fetch.retries = 2\nrun.window = 9\n[write]\n",
        f"fetch.retries = 2\n{WHY}\nfetch.concurrency = 128\nrun.window = 9\n[write]\n",
    ),
    "quoted keys": (
        '["fetch"]\n"concurrency" = 64\n',
        f'["fetch"]\n{WHY}\n"concurrency" = 128\n',
    ),
    "an indented key": (
        "[fetch]\n\tconcurrency\t=\t64\n",
        f"[fetch]\n\t{WHY}\n\tconcurrency\t=\t128\n",
    ),
    "lines that end as on Windows": (
        "[fetch]\r\nretries = 2\r\n\r\n[run]\r\n",
        f"[fetch]\r\nretries = 2\r\n{WHY}\r\nconcurrency = 128\r\n\r\n[run]\r\n",
    ),
    "a byte order mark": (f"{BOM}[fetch]\nconcurrency = 64\n", f"{BOM}[fetch]\n{WHY}\nconcurrency = 128\n"),
    "no end of the last line": ("[fetch]\nretries = 2", f"[fetch]\nretries = 2\n{WHY}\nconcurrency = 128\n"),
    "blank lines at the end stay": (
        "[fetch]\nretries = 2\n\n\n",
        f"[fetch]\nretries = 2\n{WHY}\nconcurrency = 128\n\n\n",
    ),
    "nothing at all": ("", f"[fetch]\n{WHY}\nconcurrency = 128\n"),
    "a text that looks like a section": (
        '[fetch]\nproxy = """\n[run]\n# concurrency = 3\n"""\n',
        f'[fetch]\nproxy = """\n[run]\n# concurrency = 3\n"""\n{WHY}\nconcurrency = 128\n',
    ),
    "a line separator of Unicode ends no line": (
        "[fetch]\nproxy = 'a\u2028b' # \u0085\nconcurrency = 1\n",
        f"[fetch]\nproxy = 'a\u2028b' # \u0085\n{WHY}\nconcurrency = 128\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_key_is_set_with_its_reason_above_it(name: str) -> None:
    before, after = CASES[name]
    assert edited(before) == after
    assert edited(edited(before, on="2020-01-01")) == after, "a second time replaces the first"


def test_text_and_size_are_written_as_texts() -> None:
    assert edited("", MODEL, BATCH) == (
        f'[run]\n{WHY_MODEL}\nmodel = "sharded"\n\n'
        '[parse]\n# scraper tune, 2026-11-22: batch_bytes 256KiB gave 912 pages/s\nbatch_bytes = "256KiB"\n'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fetch = 3\n", "fetch: is a value, not a table"),
        ("[[fetch]]\nretries = 2\n", "fetch: is a value, not a table"),
        ('fetch = { proxy = """a\nb""", concurrency = 3 }\n', "fetch.concurrency: its place in the file is not clear"),
        ("[fetch\n", "not TOML"),
    ],
)
def test_what_cannot_be_set_is_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        edited(text)
    assert "\n" not in str(raised.value)


COMMENT = st.sampled_from(["", "# c", "  # concurrency = 3", "#", "# scraper tune", "\t# [fetch]", "# ä €"])
KEYS = st.sampled_from(["retries = 2", "concurrency = 64", "concurrency=1 # x", 'proxy = "#"', "a.b = [\n1, # one\n]"])
SECTION = st.sampled_from(["fetch", "run", "parse", "fetch.headers", '"fetch"', "other"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """TOML files of a few sections, keys and comments, in any order and with either line end."""
    lines: list[str] = []
    for section in draw(st.lists(SECTION, unique_by=lambda name: name.strip('"'), max_size=4)):
        lines += [draw(COMMENT), f"[{section}]", draw(COMMENT)]
        for key in draw(st.lists(KEYS, unique_by=lambda key: key.split("=")[0].strip(), max_size=3)):
            lines += [key, draw(COMMENT)]
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return draw(st.sampled_from(["", BOM])) + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(documents())
def test_document_says_what_was_set_and_every_other_line_stands(text: str) -> None:
    result = edited(text, MODEL, REQUESTS)
    expected = tomllib.loads(text.removeprefix(BOM))
    expected.setdefault("run", {})["model"] = "sharded"
    expected.setdefault("fetch", {})["concurrency"] = 128
    assert tomllib.loads(result.removeprefix(BOM)) == expected
    new = iter(result.split("\n"))
    others = [line for line in text.split("\n")[:-1] if not line.startswith("concurrency")]
    lost = [line for line in others if line not in new]  # each search goes on behind the line found last
    assert lost == [], "lines that are not there any more, in their order"
    assert edited(result, MODEL, REQUESTS) == result
