"""What a model cannot do is refused in one line, before anything is fetched."""

from tests.conftest import Cli


def test_processes_share_no_cookies(cli: Cli):
    result = cli("run", "http://127.0.0.1:9/", "--set", "run.model=processes", "--set", "fetch.cookies=true")
    assert result.code == 2
    assert result.err == (
        'scraper: fetch.cookies: run.model = "processes" has no jar that its processes share: choose another model\n'
    )


def test_shards_know_no_addresses(cli: Cli):
    result = cli("run", "http://127.0.0.1:9/", "--set", "run.model=sharded", "--set", "politeness.by=address")
    assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert "each site in one process, not each address" in result.err


def test_unknown_model_names_the_nearest(cli: Cli):
    result = cli("run", "http://127.0.0.1:9/", "--set", "run.model=thread")
    assert result.code == 2
    assert "threads" in result.err


def test_list_of_one_host_is_said_to_use_one_shard(cli: Cli, site):
    source = cli.write_list(site.urls[:20])
    result = cli("run", source, "--set", "run.model=sharded", "--set", "parse.processes=2")
    assert result.code == 0
    assert "all pages are of one host, 127.0.0.1, so 1 of 2 shards does the work" in result.err
