"""The limit on open files: raised where it may be, refused with a way out where not."""

import resource

import pytest

from scraper.errors import ConfigError
from scraper.openfiles import allow_open_files, needed_files


@pytest.fixture
def limits(monkeypatch):
    """The system's limits, as the test sets them."""
    held = {"now": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: held["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda kind, value: held.update(now=value))
    return held


def test_enough_is_left_alone(limits):
    allow_open_files(64)
    assert limits["now"] == (1024, 4096)


def test_own_limit_is_raised_as_far_as_needed(limits):
    allow_open_files(1000)
    assert limits["now"] == (needed_files(1000), 4096)


def test_too_much_is_refused_with_the_number_that_is_possible(limits):
    limits["now"] = (100, 400)
    with pytest.raises(ConfigError, match=r"ulimit -n 728.*fetch\.concurrency = 136 or less"):
        allow_open_files(300)


def test_no_limit_is_enough(limits):
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    allow_open_files(4096)
    assert limits["now"] == (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
