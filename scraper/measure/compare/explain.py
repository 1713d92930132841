"""Why one model is faster than another on these pages, in words and from figures. Pure."""

from collections.abc import Iterator, Mapping

from scraper.measure.compare import sharing
from scraper.measure.compare.measured import Measured
from scraper.measure.compare.recommend import Choice
from scraper.measure.compare.scene import GIL_MODELS, Reason, Scene
from scraper.measure.page.figures import duration, short

CLEAR = 1.3
"""Of two bounds one is what limits where the other is so many times as high."""
LONG_STALL_S = 0.05


def explain(models: Mapping[str, Measured], choice: Choice, scene: Scene) -> list[Reason]:
    """The reasons that apply, those that weigh most first."""
    parts = (
        _waiting(models),
        _parts_of_cpu(models, scene),
        _one_core(models),
        _lock(models, scene),
        _one_page_each(models),
        _shards(models, scene),
        sharing.copies(models),
        sharing.function(models, scene),
        sharing.start(models, choice),
        sharing.memory(models, choice),
        sharing.apart(models, choice),
    )
    return [reason for part in parts for reason in part]


# -- waiting or CPU -------------------------------------------------------------------------------------------------


def cpu_ms(models: Mapping[str, Measured]) -> tuple[float, float] | None:
    """CPU a page of fetching and of parsing; None where no model tells them apart.

    Both on one thread, as in asyncio, is CPU time and exact; workers tell of their time only, in which others may have
    had the core.
    """
    hybrid, asyncio = models.get("hybrid"), models.get("asyncio")
    if hybrid is None:
        return None
    if asyncio is None or asyncio.loop_ms <= hybrid.loop_ms:
        return hybrid.loop_ms, hybrid.parse_ms
    return hybrid.loop_ms, asyncio.loop_ms - hybrid.loop_ms


def wait_s(models: Mapping[str, Measured]) -> float | None:
    """How long a server took to answer: of the model that had the most time to notice."""
    return min((each.head_s for each in models.values() if each.head_s is not None), default=None)


def _waiting(models: Mapping[str, Measured]) -> Iterator[Reason]:
    """Whether it is the servers or the CPU that a page takes its time from."""
    if _most_limited_by(models, "politeness"):
        text = (
            "politeness sets the pace: no model asks a host faster than per_host, delay and robots.txt allow. They "
            "differ in what they cost, hardly in how fast they are"
        )
        yield Reason("politeness", text)
        return
    cost, wait = cpu_ms(models), wait_s(models)
    if cost is None or wait is None or not sum(cost):
        return
    concurrency = models["hybrid"].concurrency
    by_core, by_server = 1000 / sum(cost), concurrency / max(wait, 1e-4)
    told = (
        f"a page waits {duration(wait)} for its server and takes {short(sum(cost))} ms of CPU: with {concurrency:,} "
        f"requests in flight servers could give {short(by_server)} pages/s, one core can work off {short(by_core)}. "
    )
    yield Reason("waiting or CPU", told + _verdict(by_server / by_core))


def _verdict(ratio: float) -> str:
    if ratio > CLEAR:
        return "So the CPU is the limit, and models that use more than one core can be faster"
    if ratio < 1 / CLEAR:
        return (
            "So waiting is the limit: one loop waits for all of them at once, and more cores gain little; a higher "
            "fetch.concurrency would, where the servers can stand it"
        )
    return "So both are near their limit, and the models near each other"


def _most_limited_by(models: Mapping[str, Measured], limit: str) -> bool:
    told = [each.limit for each in models.values() if each.limit is not None]
    return bool(told) and told.count(limit) > len(told) / 2


def _parts_of_cpu(models: Mapping[str, Measured], scene: Scene) -> Iterator[Reason]:
    """Which part of the CPU can be shared out, by which model."""
    cost = cpu_ms(models)
    if cost is None or not sum(cost):
        return
    fetch_ms, parse_ms = cost
    told = f"fetching takes {short(fetch_ms)} ms a page, parsing {short(parse_ms)} ms"
    if parse_ms > CLEAR * fetch_ms:
        more = f"; hybrid shares the parsing out to {models['hybrid'].processes} worker processes"
    elif fetch_ms > CLEAR * parse_ms:
        more = "; hybrid shares out only the parsing, and its one loop fetches: sharded has a loop in each process"
    else:
        more = "; hybrid does the one beside the other"
    alone = "; with one core there is nobody to share it out to"
    yield Reason("fetch and parse", told + (more if scene.cores > 1 else alone))


# -- cores and locks ------------------------------------------------------------------------------------------------


def _one_core(models: Mapping[str, Measured]) -> Iterator[Reason]:
    asyncio = models.get("asyncio")
    if asyncio is None:
        return
    text = "asyncio does everything on one thread"
    if asyncio.loop_ms:
        text += f": {short(1000 / asyncio.loop_ms)} pages/s are what a core can give it"
    if asyncio.stall_s.median > LONG_STALL_S:
        text += f"; parsing kept its loop from all else for up to {duration(asyncio.stall_s.median)}"
    yield Reason("one core", text)


def _lock(models: Mapping[str, Measured], scene: Scene) -> Iterator[Reason]:
    """What threads have of several cores."""
    threaded = [models[name] for name in GIL_MODELS if name in models]
    if not threaded:
        return
    used = " and ".join(f"{each.model} used {short(each.cores.median)} of {scene.cores} cores" for each in threaded)
    if scene.has_gil:
        text = f"{used}: threads share all memory and one lock (GIL); only what runs outside Python goes on beside it"
    else:
        text = f"{used}: this interpreter has no GIL, so threads share all memory and still run beside each other"
    yield Reason("threads", text)


def _one_page_each(models: Mapping[str, Measured]) -> Iterator[Reason]:
    processes = models.get("processes")
    if processes is None:
        return
    bound = ""
    if processes.p50_s is not None and processes.p50_s.median:
        rate = processes.processes / processes.p50_s.median
        bound = f": {duration(processes.p50_s.median)} a page make some {short(rate)} pages/s"
    yield Reason(
        "processes",
        f"each of its {processes.processes} processes has one page at a time and waits for it itself{bound}",
    )


def _shards(models: Mapping[str, Measured], scene: Scene) -> Iterator[Reason]:
    sharded = models.get("sharded")
    if sharded is None:
        return
    if scene.hosts == 1:
        text = "the list has one host, and a host lives in one shard: the other shards have nothing to do"
    elif scene.hosts < 4 * sharded.processes:
        text = f"{scene.hosts} hosts dealt out to {sharded.processes} shards: some get more of the pages than others"
    else:
        text = f"{scene.hosts:,} hosts dealt out to {sharded.processes} shards, each with a loop of its own"
    yield Reason("sharded", text)
