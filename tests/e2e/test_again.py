"""What is done once more: failures tried again, pages that changed replaced, pages that are the same told apart."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ONCE = ("--no-progress", "--set", "politeness.robots=false", "--set", "fetch.retries=0", "--set", "fields.title=h1")


LAST_MONTH, YESTERDAY = "Sun, 25 Oct 2026 10:00:00 GMT", "Sat, 21 Nov 2026 10:00:00 GMT"


@dataclass
class Pages:
    """A site whose pages the test changes; they have an ETag where `tags` is on."""

    url: str
    titles: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    tags: bool = True
    dated: bool = False
    """Answers have a Last-Modified, and no ETag."""
    titles_at_first: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)

    def answer(self, request: Request) -> Response:
        name = request.path.strip("/")
        self.asked[name] += 1
        if name in self.moved:
            return Response("", 302, {"Location": f"/{self.moved[name]}"})
        if status := self.statuses.get(name):
            return Response("<h1>no</h1>", status, content_type="text/html")
        title = self.titles[name]
        tag = f'"{title}"'
        if self.tags and request.headers.get("If-None-Match") == tag:
            return Response("", 304)
        since = LAST_MONTH if title == self.titles_at_first.setdefault(name, title) else YESTERDAY
        if self.dated and request.headers.get("If-Modified-Since") == since:
            return Response("", 304)
        self.whole[name] += 1
        headers = {"ETag": tag} if self.tags else {"Last-Modified": since} if self.dated else {}
        return Response(f"<h1>{title}</h1>", 200, headers, content_type="text/html")

    def urls(self, *names: str) -> list[str]:
        return [f"{self.url}/{name}" for name in names]


@pytest.fixture
def pages() -> Iterator[Pages]:
    with HTTPServer("127.0.0.1", threaded=True) as server:
        site = Pages(server.url_for("").rstrip("/"))
        server.expect_request(re.compile(".*")).respond_with_handler(site.answer)
        yield site


FORMATS = ("jsonl", "csv")


def titles(cli, format: str = "jsonl") -> dict[str, str]:
    """Title by the page's name; every row once."""
    if format == "jsonl":
        found = [(row["url"], row["title"]) for row in cli.rows()]
    else:
        import csv

        with open(cli.folder / "output" / "pages.csv", newline="") as file:
            found = [(row["url"], row["title"]) for row in csv.DictReader(file)]
    assert len(found) == len(dict(found)), found
    return {url.rpartition("/")[2]: title for url, title in found}


def failed(cli) -> dict[str, str]:
    lines = [(line["url"].rpartition("/")[2], line["error"]) for line in cli.failures()]
    assert len(lines) == len(dict(lines)), lines
    return dict(lines)


@pytest.mark.parametrize("format", FORMATS)
def test_failed_urls_are_tried_again_and_what_gave_a_row_keeps_it(cli, pages, format):
    pages.titles = {"a": "A", "b": "B", "c": "C"}
    pages.statuses = {"b": 500, "c": 404}
    once = (*ONCE, "--set", f"write.format={format}")
    source = cli.write_list([*pages.urls("a", "b", "c"), "no url"])
    assert cli("run", source, *once).code == 0
    assert failed(cli) == {"b": "http_status", "c": "http_status", "no url": "invalid_url"}
    assert "nothing to do" in cli("run", source, *once).err
    pages.statuses = {"c": 404}
    result = cli("run", source, "--retry-failed", *once)
    assert result.code == 0, result.err
    assert "input 4 = 2 ok + 1 invalid_url + 1 http_status (2 of them done earlier)" in result.err
    assert titles(cli, format) == {"a": "A", "b": "B"}
    assert failed(cli) == {"c": "http_status", "no url": "invalid_url"}
    assert pages.asked == {"a": 1, "b": 2, "c": 2}


def test_only_the_kinds_that_are_named_are_tried_again(cli, pages):
    pages.titles = {"a": "A"}
    pages.statuses = {"a": 500}
    source = cli.write_list([*pages.urls("a"), "http://127.0.0.1:9/"])
    assert cli("run", source, *ONCE).code == 0
    assert cli("run", source, "--retry-failed=connect,timeout", *ONCE).code == 0
    assert pages.asked == {"a": 1}
    assert failed(cli) == {"a": "http_status", "": "connect"}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--retry-failed=conect", "did you mean 'connect'?"),
        ("--retry-failed=invalid_url", "mend the lines in the list"),
        ("--retry-failed=ok", "expected one of"),
    ],
)
def test_kind_that_cannot_be_tried_again_is_refused(cli, option, words):
    result = cli("run", "http://127.0.0.1:9/", option)
    assert result.code == 2
    assert words in result.err


def test_two_ways_of_starting_anew_exclude_each_other(cli):
    result = cli("run", "http://127.0.0.1:9/", "--retry-failed", "--fresh")
    assert (result.code, "--fresh and --retry-failed cannot go together" in result.err) == (2, True)


@pytest.mark.parametrize(("format", "tags"), [("jsonl", True), ("csv", False)])
def test_refresh_replaces_the_rows_that_changed_and_no_other(cli, pages, tags, format):
    pages.tags = tags
    pages.titles = {"a": "A", "b": "B", "c": "C", "d": "D"}
    once = (*ONCE, "--set", f"write.format={format}")
    source = cli.write_list(pages.urls("a", "b", "c", "d"))
    assert cli("run", source, *once).code == 0
    pages.titles["b"] = "B2"
    pages.statuses = {"c": 503, "d": 410}
    result = cli("run", source, "--refresh", *once)
    assert result.code == 0, result.err
    assert "input 4 = 3 ok + 1 http_status" in result.err
    assert "1 row unchanged; 1 could not be seen again (1 http_status), their rows stand" in result.err
    assert titles(cli, format) == {"a": "A", "b": "B2", "c": "C"}
    assert failed(cli) == {"d": "http_status"}
    assert pages.whole["a"] == (1 if tags else 2), "a server that knows ETags sends no body"
    pages.statuses = {}
    assert "3 rows unchanged" in cli("run", source, "--refresh", *once).err
    assert titles(cli, format) == {"a": "A", "b": "B2", "c": "C"}


def test_refresh_asks_servers_without_etags_by_their_dates(cli, pages):
    pages.tags, pages.dated = False, True
    pages.titles = {"a": "A", "b": "B"}
    source = cli.write_list(pages.urls("a", "b"))
    assert cli("run", source, *ONCE).code == 0
    pages.titles["b"] = "B2"
    assert "1 row unchanged" in cli("run", source, "--refresh", *ONCE).err
    assert titles(cli) == {"a": "A", "b": "B2"}
    assert pages.whole == {"a": 1, "b": 2}, "a page of the date that is known is not sent again"


def test_row_of_a_page_that_comes_back_is_written_again(cli, pages):
    pages.titles = {"a": "A"}
    source = cli.write_list(pages.urls("a"))
    assert cli("run", source, *ONCE).code == 0
    pages.statuses = {"a": 404}
    assert cli("run", source, "--refresh", *ONCE).code == 0
    assert (titles(cli), failed(cli)) == ({}, {"a": "http_status"})
    pages.statuses = {}
    assert cli("run", source, "--retry-failed", *ONCE).code == 0
    assert (titles(cli), failed(cli)) == ({"a": "A"}, {})
    assert "nothing to do" in cli("run", source, *ONCE).err


@pytest.mark.parametrize(
    ("dedupe", "rows", "duplicates"),
    [("url", {"a", "b", "c", "d"}, 0), ("final_url", {"a", "c", "d"}, 1), ("content", {"a", "d"}, 2)],
)
def test_pages_that_are_the_same_give_one_row(cli, pages, dedupe, rows, duplicates):
    """b redirects to a; c has the same bytes."""
    pages.titles = {"a": "A", "c": "A", "d": "D"}
    pages.moved = {"b": "a"}
    once = (*ONCE, "--set", f"write.dedupe={dedupe}")
    one_by_one = ("--set", "fetch.concurrency=1", "--set", "parse.processes=1")  # the order decides whose row it is
    source = cli.write_list(pages.urls("a", "b", "c"))
    assert cli("run", source, *once, *one_by_one).code == 0
    cli.write_list(pages.urls("a", "b", "c", "d"))
    result = cli("run", source, *once)
    assert result.code == 0, result.err
    assert set(titles(cli)) == rows
    assert failed(cli) == {}
    told = f" + {duplicates} duplicate{'s' if duplicates > 1 else ''}" if duplicates else ""
    assert f"input 4 = {len(rows)} ok{told} (" in result.err
    assert "nothing to do" in cli("run", "urls.txt", *once).err
    refused = cli("run", "urls.txt", *ONCE, "--set", f"write.dedupe={'url' if dedupe != 'url' else 'content'}")
    assert (refused.code, "dedupe was" in refused.err) == (2, True)
