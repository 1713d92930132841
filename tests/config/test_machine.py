"""What "auto" comes to: the byte budget, the cores, and the requests and workers that a run begins with."""

import pytest

from scraper.config import byte_budget, first_workers, load_config, machine, worker_processes
from scraper.config.machine import (
    Cores,
    auto_budget,
    auto_settings,
    cores,
    cpu_quota,
    fetch_concurrency,
    limit_files,
    machine_memory,
    quota_files,
)

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


# -- cores ------------------------------------------------------------------------------------------------------------

V1 = "/sys/fs/cgroup/cpu,cpuacct"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        (
            {
                "/proc/self/cgroup": "0::/a.slice/b.scope\n",
                "/sys/fs/cgroup/a.slice/cpu.max": "50000 100000\n",
                "/sys/fs/cgroup/a.slice/b.scope/cpu.max": "400000 100000\n",
            },
            0.5,
        ),
        (
            {
                "/proc/self/cgroup": "5:cpu,cpuacct:/docker/1\n4:memory:/\n0::/\n",
                f"{V1}/cpu.cfs_quota_us": "300000\n",
                f"{V1}/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                "/proc/self/cgroup": "1:cpu:/a\n",
                "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"/proc/self/cgroup": "1:cpu:/\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n"}, None),
        ({"/proc/self/cgroup": "1:cpuacct:/\n", "/sys/fs/cgroup/cpuacct/cpu.cfs_quota_us": "1\n"}, None),
        ({"/proc/self/cgroup": "0::/\njunk\n", "/sys/fs/cgroup/cpu.max": "0 0\n"}, None),
    ],
    ids=[
        "no cgroups", "v2 unlimited", "v2 root", "v2 smallest of all above", "v1 seen from outside", "v1 unlimited",
        "v1 period missing", "v1 other controller", "unreadable",
    ],
)  # fmt: skip
def test_smallest_cpu_quota_counts(files: dict[str, str], quota: float | None) -> None:
    assert cpu_quota(files.get) == quota


def test_quotas_of_all_parents_are_looked_at_where_v1_may_mount_them() -> None:
    assert quota_files("4:cpu,cpuacct:/a\n") == [
        (f"/sys/fs/cgroup/{folder}/cpu.cfs_quota_us", f"/sys/fs/cgroup/{folder}/cpu.cfs_period_us")
        for folder in ("cpu/a", "cpu", "cpu,cpuacct/a", "cpu,cpuacct")
    ]


@pytest.mark.parametrize(
    ("found", "usable"),
    [
        (Cores(8, None), 8),
        (Cores(8, 2.0), 2),
        (Cores(8, 2.01), 3),
        (Cores(8, 0.05), 1),
        (Cores(2, 64.0), 2),
    ],
)
def test_quota_is_rounded_up_and_never_below_one_core(found: Cores, usable: int) -> None:
    assert found.usable == usable


# -- what a run begins with -------------------------------------------------------------------------------------------


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "machine_cores", lambda: Cores(8, None))


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(
    ("model", "first", "most", "requests"),
    [
        ("hybrid", 2, 8, 16),
        ("asyncio", 8, 8, 16),
        ("asyncio-threads", 8, 8, 16),
        ("threads", 8, 8, 64),
        ("processes", 32, 32, 64),
        ("sharded", 8, 8, 8 * 64),
    ],
)
def test_auto_of_each_model(model: str, first: int, most: int, requests: int) -> None:
    config = load_config(None, [f"run.model={model}", "fetch.concurrency=auto"])
    assert cores() == 8
    assert (first_workers(config), worker_processes(config), fetch_concurrency(config)) == (first, most, requests)


@pytest.mark.parametrize(("found", "first"), [(Cores(1, None), 1), (Cores(2, None), 2), (Cores(8, 1.5), 2)])
def test_hybrid_begins_with_two_workers_where_there_are_cores(
    found: Cores, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "machine_cores", lambda: found)
    assert first_workers(load_config(None, [])) == first


@pytest.mark.usefixtures("eight_cores")
def test_settings_count_over_what_auto_would_be() -> None:
    config = load_config(None, ["parse.processes=5", "fetch.concurrency=9"])
    assert (first_workers(config), worker_processes(config), fetch_concurrency(config)) == (5, 5, 9)
    assert auto_settings(config) == []


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            "hybrid",
            {
                "parse.processes": "2 (8 cores by affinity, no CPU quota), more as pages wait for them, up to 8",
                "fetch.concurrency": "16 (at the start; doubles while that gains pages/s, up to 1,024)",
            },
        ),
        ("asyncio", {"fetch.concurrency": "16 (at the start; doubles while that gains pages/s, up to 1,024)"}),
        (
            "processes",
            {"parse.processes": "32 (8 cores by affinity, no CPU quota; 4 for each, as they wait for pages too)"},
        ),
        (
            "sharded",
            {
                "parse.processes": "8 (8 cores by affinity, no CPU quota)",
                "fetch.concurrency": '512 (64 for each loop of "sharded")',
            },
        ),
    ],
)
def test_auto_is_told_with_its_reason_where_the_model_uses_it(model: str, words: dict[str, str]) -> None:
    config = load_config(None, [f"run.model={model}", "fetch.concurrency=auto"])
    assert dict(auto_settings(config)) == words
