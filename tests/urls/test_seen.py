import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.urls.seen import SeenSet

KEYS = st.integers(0, 2**64 - 1)


@given(st.lists(KEYS | st.integers(0, 20) | st.integers(0, 20).map(lambda n: n << 12 | 5)))
def test_agrees_with_a_plain_set(keys):
    seen, plain = SeenSet(), set()
    for key in keys:
        assert (key in seen) == (key in plain)
        assert seen.add(key) == (key not in plain)
        plain.add(key)
    assert len(seen) == len(plain)
    assert all(key in seen for key in plain)


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1])
def test_every_64_bit_key_can_be_held(key):
    seen = SeenSet()
    assert key not in seen
    assert seen.add(key)
    assert not seen.add(key)
    assert key in seen
    assert len(seen) == 1


def test_one_shard_holds_many_keys():
    seen = SeenSet()
    keys = [n << 12 | 77 for n in range(5000)]
    assert all(seen.add(key) for key in keys)
    assert not any(seen.add(key) for key in keys)
    assert len(seen) == 5000
    assert (5000 << 12 | 77) not in seen


def test_memory_is_at_most_24_bytes_a_key():
    seen, source = SeenSet(), random.Random(1)
    empty = seen.nbytes
    assert empty < 80_000
    for _ in range(150_000):
        seen.add(source.getrandbits(64))
    assert 8 * 150_000 < seen.nbytes < 24 * 150_000
