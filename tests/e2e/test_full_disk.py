"""A disk that fills up in mid-run: one line, exit 1, no summary; with room again the same command resumes."""

import pytest

resource = pytest.importorskip("resource", reason="limits of a process as Unix has them")


def run_with_room_for(cli, size: int, *arguments: str) -> tuple[int, str]:
    """Run with files that can grow to `size` bytes, which fails as a full disk does."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    with cli.start("run", *arguments, "--no-progress", preexec_fn=limit) as process:
        err = process.communicate(timeout=40)[1].decode()
    assert "Traceback" not in err
    return process.returncode, err


@pytest.mark.parametrize(
    "settings", [["write.commit_every=10ms"], ["write.commit_every=1h", "write.commit_bytes=1GiB"]]
)
def test_rows_that_find_no_room_end_the_run_and_are_fetched_again(cli, site, settings):
    source = cli.write_list(site.urls[:60])
    options = [word for setting in settings for word in ("--set", setting)]
    code, err = run_with_room_for(cli, 40_000, source, *options)
    assert code == 1
    assert err.startswith("scraper: writing stopped: ")
    assert len(err.splitlines()) == 1
    assert not (cli.folder / "output" / "summary.json").exists()
    assert cli("run", source).code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(site.urls[:60])
    assert cli.summary()["ok"] == 60


def test_kept_body_that_finds_no_room_ends_the_run(cli, site):
    source = cli.write_list(site.urls[:5])
    code, err = run_with_room_for(
        cli, 1000, source, "--set", "fetch.keep_bodies=true", "--set", "write.commit_every=1h"
    )
    assert code == 1
    assert "output/bodies: cannot be written" in err or "writing stopped" in err
    assert len(err.splitlines()) == 1
    assert cli("run", source, "--set", "fetch.keep_bodies=true").code == 0
    assert len(cli.rows()) == 5
    assert not list((cli.folder / "output").glob("bodies/*.part"))
