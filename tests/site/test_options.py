"""What a site refuses to be."""

import math
from functools import reduce
from operator import add

import pytest

from scraper.site.options import FAULT_NAMES, SiteOptions


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pages": 0}, "pages is 0"),
        ({"size_bytes": 0}, "size_bytes is 0"),
        ({"size_bytes": 4 << 40}, "size_bytes is 4398046511104: 1 byte to 64 MiB"),
        ({"pages": 10**20}, "pages is 100000000000000000000: a site has at most 100,000,000 pages"),
        ({"latency_s": -1.0}, "latency_s is -1.0: seconds must be 0 or more"),
        ({"jitter_s": math.nan}, "jitter_s is nan"),
        ({"slow_s": math.inf}, "slow_s is inf"),
        ({"cut": 1.5}, "cut is 1.5: a rate is a number from 0 to 1"),
        ({"flaky": -0.1}, "flaky is -0.1"),
        ({"slow": math.nan}, "slow is nan"),
        ({"cut": 0.6, "flaky": 0.5}, "flaky 0.5 + cut 0.6 is more than 1"),
    ],
)
def test_impossible_options_are_refused_by_name(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("+", r"\+")):
        SiteOptions(**values)


def test_rates_that_make_exactly_one_are_accepted_despite_binary_rounding() -> None:
    rates = dict(zip(FAULT_NAMES, (0.1, 0.2, 0.3, 0.1, 0.2, 0.1), strict=True))
    assert reduce(add, rates.values()) > 1  # sum() rounds once, from Python 3.12 on
    assert SiteOptions(**rates).flaky == 0.3
