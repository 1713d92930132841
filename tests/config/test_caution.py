"""What is told before a run begins."""

import pytest

from scraper.config import cautions, load_config


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], []),
        (["fetch.verify_tls=false"], ["certificates"]),
        (["fetch.proxy=http://joe:s3cret@h:1"], ["looks up host names"]),
        (["fetch.proxy=socks5h://h:1"], ["looks up host names"]),
        (["fetch.proxy=socks5://h:1"], []),
        (['fetch.proxy=["socks5://h:1", "https://h:1"]'], ["looks up host names"]),
        (["fetch.proxy=http://h:1", "network.private_addresses=allow"], []),
        (["fetch.proxy=http://h:1", "fetch.verify_tls=false"], ["certificates", "looks up host names"]),
    ],
)
def test_one_line_for_each_thing_to_know(overrides: list[str], words: list[str]) -> None:
    lines = cautions(load_config(None, overrides))
    assert len(lines) == len(words)
    assert all(word in line for word, line in zip(words, lines, strict=True))
    assert "s3cret" not in "".join(lines)
