"""The byte budget: the setting, or a share of what machine and cgroups allow."""

import pytest

from scraper.config import byte_budget, load_config
from scraper.config.machine import auto_budget, limit_files, machine_memory

MIB, GIB = 1024**2, 1024**3


@pytest.mark.parametrize(
    ("available", "budget"),
    [(0, 64 * MIB), (512 * MIB, 64 * MIB), (1 * GIB, 128 * MIB), (4 * GIB, 128 * MIB), (64 * GIB, 128 * MIB)],
)
def test_auto_is_an_eighth_within_bounds(available: int, budget: int) -> None:
    assert auto_budget(available) == budget


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({}, 8 * GIB),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"}, 8 * GIB),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": f"{GIB}\n"}, GIB),
        (
            {
                "/proc/self/cgroup": "0::/a.slice/b.scope\n",
                "/sys/fs/cgroup/a.slice/memory.max": f"{2 * GIB}\n",
                "/sys/fs/cgroup/a.slice/b.scope/memory.max": "max\n",
            },
            2 * GIB,
        ),
        (
            {
                "/proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/1\n0::/\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
            },
            GIB,
        ),
        (
            {
                "/proc/self/cgroup": "4:memory:/\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            8 * GIB,
        ),
        ({"/proc/self/cgroup": "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "junk"}, 8 * GIB),
    ],
    ids=["no cgroups", "v2 unlimited", "v2 root", "v2 parent", "v1 seen from outside", "v1 unlimited", "unreadable"],
)
def test_smallest_limit_counts(files: dict[str, str], available: int) -> None:
    assert machine_memory(files.get, lambda: 8 * GIB) == available


def test_limits_of_all_parents_are_looked_at_once_each() -> None:
    assert limit_files("4:memory:/a/b\n1:name=systemd:/c\n") == [
        "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]


def test_setting_counts_over_the_machine() -> None:
    assert byte_budget(load_config(None, ["run.memory=20MiB"])) == 20 * MIB


def test_auto_holds_at_least_one_page() -> None:
    assert byte_budget(load_config(None, ["fetch.max_body=1GiB"])) == 1 * GIB
