"""`scraper run` as a user meets it: lists in, rows out, one outcome for each line."""

import csv
import gzip
import html
import json
import socket
from collections import Counter

import pytest

from scraper.site.options import SiteOptions
from scraper.site.server import running_site


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_list_gives_one_row_for_each_page(cli, site):
    result = cli("run", cli.write_list(site.urls))
    assert result.code == 0
    rows = cli.rows()
    assert sorted(row["url"] for row in rows) == sorted(site.urls)
    assert {row["status"] for row in rows} == {200}
    assert all(row["title"] and row["jsonld"] and row["og"] for row in rows)
    assert cli.failures() == []
    assert "input 300 = 300 ok" in result.err


def test_every_kind_of_line_has_exactly_one_outcome(cli, site):
    good = site.urls[:3]
    lines = {
        "not a url": "invalid_url",
        "ftp://a.example/file": "unsupported_scheme",
        "mailto:someone@a.example": "unsupported_scheme",
        f"http://127.0.0.1:{closed_port()}/": "connect",
        f"https://{site.url.removeprefix('http://')}/": "tls",
        f"{site.url}/no-such-page": "http_status",
        f"{site.url}/robots.txt": "not_html",
        "http://user:geheim@169.254.169.254.a-long-label-" + "x" * 70 + ".invalid/": "dns",
    }
    text = ["# a comment", *good, "", *lines, good[0], f"  {good[1]}#part  "]
    result = cli("run", cli.write_list(text), "--set", "fetch.retries=0")
    assert result.code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(good)
    failures = cli.failures()
    assert Counter(failure["error"] for failure in failures) == Counter(lines.values())
    assert all(failure["message"] for failure in failures)
    numbers = {line: number for number, line in enumerate(text, 1)}
    for line, kind in lines.items():
        (failure,) = (f for f in failures if f["line"] == numbers[line])
        assert failure["error"] == kind
    summary = cli.summary()
    assert (summary["input"], summary["ok"], summary["failed"], summary["duplicates"]) == (13, 3, 8, 2)
    assert "geheim" not in result.err + json.dumps(failures)
    assert b"geheim" not in (cli.folder / "output" / "journal").read_bytes()


def test_misbehaving_site_is_scraped_to_the_end(cli):
    options = SiteOptions(pages=200, not_found=0.05, flaky=0.1, cut=0.05, redirect=0.1, rate_limited=0.01)
    with running_site(options) as site:
        urls = [f"{site.url}/shop/item/{number}" for number in range(1, 101)]
        result = cli("run", cli.write_list(urls), "--set", "fetch.backoff=10ms")
    assert result.code == 0
    summary = cli.summary()
    assert summary["ok"] + summary["failed"] == 100
    assert set(summary["failures"]) <= {"http_status", "truncated"}
    assert len(cli.rows()) == summary["ok"] > 70
    assert len({row["url"] for row in cli.rows()}) == summary["ok"]
    assert any("moved=1" in row["final_url"] for row in cli.rows())


def test_standard_input_and_arguments_together(cli, site):
    result = cli("run", site.urls[0], "-", input=f"{site.urls[1]}\n{site.urls[2]}".encode())
    assert result.code == 0
    assert {row["url"] for row in cli.rows()} == set(site.urls[:3])


def test_gzipped_jsonl_carries_its_other_keys_to_the_row(cli, site):
    lines = [{"url": url, "id": number, "title": "mine"} for number, url in enumerate(site.urls[:5])]
    (cli.folder / "list.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    assert cli("run", "list.jsonl.gz").code == 0
    rows = {row["url"]: row for row in cli.rows()}
    for line in lines:
        assert rows[line["url"]]["id"] == line["id"]
        assert rows[line["url"]]["input_title"] == "mine"
        assert rows[line["url"]]["title"] != "mine"


def test_csv_in_csv_out_with_the_other_columns(cli, site):
    (cli.folder / "list.csv").write_text("sku;Link\nA1;" + site.urls[0] + "\nB2;nonsense\n")
    result = cli(
        "run", "list.csv", "--url-column", "Link", "--set", "write.format=csv",
        "--set", 'fields.price={css=".product .price", type="decimal"}', "--set", "fields.name=h1",
    )  # fmt: skip
    assert result.code == 0
    with (cli.folder / "output" / "pages.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == ["url", "final_url", "status", "fetched_at", "close_delimited", "sku", "price", "name"]
    assert row["sku"] == "A1"
    assert float(row["price"]) > 0
    assert [failure["line"] for failure in cli.failures()] == [3]


def test_fields_types_and_a_required_field(cli, site):
    config = """
        [fields]
        price = { css = ".product .price", type = "decimal", required = true }
        links = { css = "a[href]", attr = "href", type = "url", many = true }
        paragraphs = { css = "p", count = true }
    """
    (cli.folder / "my.toml").write_text(config)
    product, article = site.urls[0], site.urls[1]
    assert cli("run", product, article, "-c", "my.toml").code == 0
    (row,) = cli.rows()
    assert row["url"] == product
    assert isinstance(row["price"], float)
    assert row["links"]
    assert all(link.startswith(site.url) for link in row["links"])
    (failure,) = cli.failures()
    assert (failure["error"], failure["url"]) == ("required_field", article)
    assert "price" in failure["message"]


def test_users_own_function_runs_in_the_workers(cli, site):
    (cli.folder / "my_rules.py").write_text(
        "import os\n"
        "def extract(page, tree):\n"
        "    if page.url.endswith('/2'): os.kill(os.getpid(), 11)\n"
        "    if page.url.endswith('/3'): raise ValueError('I do not like 3')\n"
        "    return {'size': len(page.body), 'pid': os.getpid()}\n"
    )
    urls = [f"{site.url}/shop/item/{number}" for number in range(1, 7)]
    result = cli("run", cli.write_list(urls), "--set", "parse.function=my_rules:extract", "--set", "fields.name=h1")
    assert result.code == 0
    rows = cli.rows()
    assert sorted(row["url"][-1] for row in rows) == ["1", "4", "5", "6"]
    assert all(row["size"] > 100 and row["name"] for row in rows)
    messages = {failure["url"][-1]: failure["message"] for failure in cli.failures()}
    assert "SIGSEGV" in messages["2"]
    assert "I do not like 3" in messages["3"]


def test_limit_takes_up_so_many_urls_and_the_next_call_goes_on(cli, site):
    source = cli.write_list(site.urls[:10])
    result = cli("run", source, "--limit", "4")
    assert (result.code, len(cli.rows())) == (0, 4)
    assert "--limit reached" in result.err
    assert cli.summary()["limited"]
    assert cli("run", source, "--limit", "4").code == 0
    result = cli("run", source)
    assert (result.code, "--limit" in result.err, cli.summary()["limited"]) == (0, False, False)
    assert sorted(row["url"] for row in cli.rows()) == sorted(site.urls[:10])


def test_finished_run_has_nothing_to_do_and_a_grown_list_adds_its_new_urls(cli, site):
    source = cli.write_list([*site.urls[:5], "not a url"])
    cli("run", source)
    before = [(cli.folder / "output" / name).read_bytes() for name in ("pages.jsonl", "summary.json")]
    result = cli("run", source)
    assert (result.code, "nothing to do" in result.err) == (0, True)
    assert [(cli.folder / "output" / name).read_bytes() for name in ("pages.jsonl", "summary.json")] == before
    (cli.folder / "output" / "summary.json").write_bytes(before[1][:40])
    cli("run", source)
    assert cli.summary()["input"] == 6, "a damaged one is made anew"
    cli.write_list([site.urls[7], *site.urls[:5], "not a url"])
    result = cli("run", source)
    assert "input 7 = 6 ok + 1 invalid_url (6 of them done earlier)" in result.err
    assert len(cli.rows()) == 6
    assert len(cli.failures()) == 1


def test_other_fields_are_refused_and_fresh_starts_over(cli, site):
    cli("run", site.urls[0], "--set", "fields.name=h1")
    result = cli("run", site.urls[0], "--set", "fields.name=h2")
    assert result.code == 2
    assert "fields.name.css was h1 and is h2" in result.err
    assert "--fresh" in result.err
    assert cli("run", site.urls[1], "--set", "fields.name=h2", "--fresh").code == 0
    assert [row["url"] for row in cli.rows()] == [site.urls[1]]


def test_settings_of_speed_may_change_between_sessions(cli, site):
    source = cli.write_list(site.urls[:4])
    assert cli("run", source, "--limit", "2").code == 0
    assert cli("run", source, "--set", "fetch.concurrency=2", "--set", "politeness.delay=1ms").code == 0
    assert len(cli.rows()) == 4


def test_kept_bodies_are_the_pages_as_they_came(cli, site):
    assert cli("run", site.urls[0], site.urls[0] + "?again", "--set", "fetch.keep_bodies=true").code == 0
    rows = cli.rows()
    bodies = {path.name: path.read_bytes() for path in (cli.folder / "output" / "bodies").iterdir()}
    assert len(rows) == 2
    for row in rows:
        assert html.escape(row["h1"], quote=False).encode() in bodies[row["body_file"].removeprefix("bodies/")]
    assert not [name for name in bodies if name.endswith(".part")]


def test_json_summary_is_all_that_standard_output_gets(cli, site):
    result = cli("run", site.urls[0], "--json", "--quiet")
    assert json.loads(result.out)["ok"] == 1
    assert result.err == ""


@pytest.mark.parametrize("wire", ["pyreqwest", "httpx"])
def test_delay_of_a_host_is_kept_from_end_to_end(cli, site, wire):
    settings = ["--set", "politeness.delay=250ms", "--set", f"fetch.transport={wire}"]
    assert cli("run", cli.write_list(site.urls[:5]), *settings).code == 0
    times = sorted(row["fetched_at"] for row in cli.rows())
    seconds = [float(time[-7:-1]) for time in times]
    assert (seconds[-1] - seconds[0]) % 60 > 0.8


def test_private_addresses_can_be_denied(cli, site):
    assert cli("run", site.urls[0], "--set", "network.private_addresses=deny").code == 0
    assert [failure["error"] for failure in cli.failures()] == ["blocked_address"]
