import pytest

from scraper.records import SourceLine
from scraper.urls.lines import Block, LineSplitter
from scraper.urls.plain import JsonlReader, TxtReader


def read(reader, data: bytes) -> list[SourceLine]:
    splitter = LineSplitter()
    return reader.feed(splitter.feed(data)) + reader.feed(splitter.finish()) + reader.finish()


def test_txt_has_one_url_a_line_and_skips_blanks_and_comments():
    found = read(TxtReader(), b"# mine\n\n  http://a.example/ \r\n\t# more\nnot a url\nhttp://b.example/#x")
    assert found == [
        SourceLine("http://a.example/", 3),
        SourceLine("not a url", 5),
        SourceLine("http://b.example/#x", 6),
    ]


def test_txt_line_with_a_fault_is_a_bad_record():
    found = read(TxtReader(), b"http://a.example/\n\xff\n\n# x\nhttp://b.example/\n")
    assert [(record.line, record.text, record.error is None) for record in found] == [
        (1, "http://a.example/", True),
        (2, "\ufffd", False),
        (5, "http://b.example/", True),
    ]


@pytest.mark.parametrize("reader", [TxtReader(), JsonlReader()])
def test_fault_of_an_empty_line_is_reported(reader):
    assert reader.feed(Block(7, [""], {7: "cut"})) == [SourceLine("", 7, error="cut")]


def test_jsonl_carries_the_other_keys():
    reader = JsonlReader()
    found = read(
        reader, b'{"id": 1, "url": " http://a.example/ ", "tags": ["x", null]}\n\n{"url": "http://b.example/"}'
    )
    assert found == [
        SourceLine("http://a.example/", 1, {"id": 1, "tags": ["x", None]}),
        SourceLine("http://b.example/", 3),
    ]
    assert reader.columns == ("id", "tags")


def test_jsonl_takes_the_named_key():
    assert read(JsonlReader("link"), b'{"link": "x", "url": "y"}') == [SourceLine("x", 1, {"url": "y"})]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{", "not JSON: "),
        ("http://a.example/", "not JSON: "),
        ('{"url": "a"} x', "not JSON: trailing characters"),
        ('{"url": "\\ud800"}', "not JSON: "),
        ('{"url": NaN}', "not JSON: "),
        ("[" * 100_000, "not JSON: nested too deep"),
        ("[]", "not a JSON object but a list"),
        ("3", "not a JSON object but a number"),
        ('"http://a.example/"', "not a JSON object but a text"),
        ("null", "not a JSON object but null"),
        ('{"URL": "x", "id": 1}', "no key 'url'; its keys: URL, id"),
        ("{}", "no key 'url'; its keys: none"),
        ('{"url": 3}', "'url' is not a text but a number"),
        ('{"url": null}', "'url' is not a text but null"),
        ('{"url": ["x"]}', "'url' is not a text but a list"),
        ('{"url": {}}', "'url' is not a text but an object"),
        ('{"url": true}', "'url' is not a text but true or false"),
        ('{"url": " "}', "'url' is empty"),
    ],
)
def test_jsonl_bad_line_says_what_was_found(line, error):
    before, found, after = read(JsonlReader(), f'{{"url": "x"}}\n{line}\n{{"url": "y"}}'.encode())
    assert found.error.startswith(error)
    assert found.line == 2
    assert (before, after) == (SourceLine("x", 1), SourceLine("y", 3))
