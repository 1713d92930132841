"""The parts of a report that tell how a session went: limits, course, latency, hosts and pages. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from scraper.histogram import quantile
from scraper.measure.page import charts, html
from scraper.measure.page.axes import Words
from scraper.measure.page.figures import duration, share, short, size
from scraper.measure.page.html import Html, Num, Section
from scraper.measure.report.overtime import coarser, rates, spans_by_name
from scraper.measure.report.told import Buckets, HostTold, LimitTold, PageTold, SeriesTold, SessionTold, limit_words

FIRST_HOSTS = 25
"""Of the hosts, shown without unfolding the others."""
TABLE_ROWS = 30
"""Of a chart over time, in the table beside it."""
PHASES = {
    "head": ("Waiting for the answer", "from the request until the head of the answer"),
    "body": ("Receiving the page", "from the head of the answer until its last byte"),
    "parse": ("Parsing", "from the hand-over to the parser until the row is back, waiting included"),
    "write": ("Writing", "from the row until it is safe on the disk, with the rows of its commit"),
    "page": ("The whole page", "from the request until the row is back"),
}
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
STAGES = {
    "slots": "requests in use",
    "loop": "fetch CPU",
    "parse": "parsing",
    "write": "writing",
    "disk": "the disk",
}
"""The shares of a series, and what they are shares of."""


# -- what limited it ------------------------------------------------------------------------------------------------


def limits(session: SessionTold) -> Section:
    """What limited it, for how long, and what to do."""
    return Section("What limited it", [*_limits(session)])


def _limits(session: SessionTold) -> Iterator[Html]:
    if session.limits:
        yield html.paragraph(_verdict(session.limits[0]))
        rows = [(limit_words(it.name), Num(share(it.share)), _gain(it), it.advice) for it in session.limits if it.share]
        yield html.table("What limited the session", ["limit", "of the time", "gain", "what to do"], rows)
    else:
        yield html.paragraph("The session was too short to say.")
    if len(session.series.at) > 1:
        yield html.side_by_side(_limits_over_time(session.series), _utilisation(coarser(session.series)))


def _verdict(limit: LimitTold) -> str:
    gain = f" (up to {limit.gain:.1f} times as many pages a second)" if limit.gain else ""
    return (
        f"Most of the time, {share(limit.share)} of it, the limit was {limit_words(limit.name)}: {limit.advice}{gain}."
    )


def _gain(limit: LimitTold) -> str:
    return Num(f"up to {limit.gain:.1f}x") if limit.gain else "none by a setting"


def _limits_over_time(series: SeriesTold) -> Html:
    spans = {limit_words(name): times for name, times in spans_by_name(series.at, series.limit).items()}
    seconds = {name: sum(end - start for start, end in times) for name, times in spans.items()}
    told = "; ".join(f"{name} for {duration(s)}" for name, s in seconds.items()) or "nothing for long enough to say"
    svg = charts.spans("What limited the session, over time", f"{told}.", spans, series.at[-1])
    rows = ((name, Num(duration(start)), Num(duration(end))) for name, times in spans.items() for start, end in times)
    first = list(islice(rows, TABLE_ROWS))
    return html.figure("The limit, over time", svg, html.table("The limit, over time", ["limit", "from", "to"], first))


def _utilisation(series: SeriesTold) -> Html:
    shares = {words: getattr(series, name) for name, words in STAGES.items()}
    return _over_time("How busy each stage was", series, shares, unit="of what is possible", words=share, top=1.0)


# -- over time ------------------------------------------------------------------------------------------------------


def course(session: SessionTold) -> Section:
    """Throughput, and what was in flight, over time."""
    return Section("Over time", [*_course(session.series)])


def _course(series: SeriesTold) -> Iterator[Html]:
    if len(series.at) < 2:
        yield html.paragraph("The session was too short for a picture over time.")
        return
    coarse = coarser(series)
    done = {"done": rates(coarse.at, coarse.done), "of them failed": rates(coarse.at, coarse.failed)}
    megabytes = {"received": [rate / 1e6 for rate in rates(coarse.at, coarse.bytes)]}
    yield html.side_by_side(
        _over_time("Pages a second", coarse, done, unit="pages/s"),
        _over_time("In flight", coarse, {"requests": coarse.in_flight, "in the parser": coarse.parsing}, unit="pages"),
        _over_time("Waiting for their host's turn", coarse, {"queued": coarse.queued}, unit="pages"),
        _over_time("Received", coarse, megabytes, unit="MB/s"),
    )


def _over_time(
    title: str,
    series: SeriesTold,
    lines: Mapping[str, Sequence[float]],
    *,
    unit: str,
    words: Words = short,
    top: float | None = None,
) -> Html:
    """A line chart of a session's time and its table."""
    told = _course_in_words(series.at, lines, words)
    svg = charts.lines(title, told, series.at, lines, unit=unit, top=top, words=words, start=0.0, stepped=True)
    every = -(-len(series.at) // TABLE_ROWS)
    places = range(every - 1, len(series.at), every)
    rows = ([Num(duration(series.at[at])), *(Num(words(line[at])) for line in lines.values())] for at in places)
    caption = f"{title}{f' ({unit})' if unit else ''}{f', every {every}th point' if every > 1 else ''}"
    return html.figure(title, svg, html.table(caption, ["time", *lines], rows))


def _course_in_words(at: Sequence[float], lines: Mapping[str, Sequence[float]], words: Words) -> str:
    """What a reader sees at a glance, for those who do not see."""
    told = [f"{name}: {words(_middle(line))} in the middle, {words(max(line))} at most" for name, line in lines.items()]
    return f"Over {duration(at[-1])}. {'; '.join(told)}."


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


# -- latency --------------------------------------------------------------------------------------------------------


def latency(session: SessionTold) -> Section:
    """How long each part of a page's way took."""
    return Section("Latency", [*_latency(session)])


def _latency(session: SessionTold) -> Iterator[Html]:
    measured = {name: buckets for name in PHASES if (buckets := getattr(session.phases, name))}
    if not measured:
        yield html.paragraph("No page was fetched.")
        return
    rows = (_phase_row(name, buckets) for name, buckets in measured.items())
    yield html.table("How long each part took; within 5 %", ["part", *QUANTILES, "pages", "what it is"], rows)
    yield html.side_by_side(*(_phase(name, buckets) for name, buckets in measured.items()))
    yield html.paragraph(_stalls(session), note=True)


def _phase_row(name: str, buckets: Buckets) -> list[str | int]:
    title, what = PHASES[name]
    return [title, *(Num(duration(value)) for value in _quantiles(buckets).values()), _count(buckets), what]


def _phase(name: str, buckets: Buckets) -> Html:
    title, what = PHASES[name]
    found = _quantiles(buckets)
    told = ", ".join(f"{mark} {duration(value)}" for mark, value in found.items())
    svg = charts.histogram(f"{title}: how long it took", f"{what}: {told}.", buckets, marks=found, unit="pages")
    rows = ((Num(f"up to {duration(bound)}"), count) for bound, count in buckets)
    return html.figure(title, svg, html.table(f"{title}: {what}", ["time", "pages"], rows))


def _quantiles(buckets: Buckets) -> dict[str, float]:
    return {name: value for name, q in QUANTILES.items() if (value := quantile(buckets, q)) is not None}


def _count(buckets: Buckets) -> int:
    return sum(count for _, count in buckets)


def _stalls(session: SessionTold) -> str:
    found = session.stalls
    times = f"{found.over_50ms:,} time{'' if found.over_50ms == 1 else 's'}" if found.over_50ms else "at no time"
    longest = f"the longest time was {duration(found.longest_s)}"
    return f"The event loop was late for its timers by more than 50 ms {times}; {longest}."


# -- hosts and pages ------------------------------------------------------------------------------------------------


def hosts(session: SessionTold) -> Section:
    """What each host answered."""
    return Section("Hosts", [*_hosts(session.hosts)])


def _hosts(hosts: Sequence[HostTold]) -> Iterator[Html]:
    if not hosts:
        yield html.paragraph("No host was asked.")
        return
    yield _host_table("The hosts with the most pages" if len(hosts) > FIRST_HOSTS else "All hosts", hosts[:FIRST_HOSTS])
    if len(hosts) > FIRST_HOSTS:
        others = hosts[FIRST_HOSTS:]
        yield html.folded(f"{len(others):,} more", _host_table("The other hosts", others))


def _host_table(caption: str, hosts: Iterable[HostTold]) -> Html:
    head = ["host", "ok", "failed", "failed, share", "received", "a request, on average", "the longest"]
    return html.table(caption, head, map(_host_row, hosts))


def _host_row(host: HostTold) -> list[str | int]:
    asked = host.ok + host.failed
    return [
        html.code(host.host) if host.host else "all others",
        host.ok,
        host.failed,
        Num(share(host.failed / asked if asked else 0.0)),
        Num(size(host.bytes)),
        Num(duration(host.seconds / asked if asked else 0.0)),
        Num(duration(host.longest_s)),
    ]


def extremes(session: SessionTold) -> Section:
    """The pages that stood out."""
    return Section("Slowest and largest pages", [*_extremes(session)])


def _extremes(session: SessionTold) -> Iterator[Html]:
    if not session.slowest and not session.largest:
        yield html.paragraph("No page was fetched.")
        return
    slowest = _page_table("The pages that took longest", session.slowest)
    yield html.side_by_side(slowest, _page_table("The largest pages", session.largest))


def _page_table(caption: str, pages: Iterable[PageTold]) -> Html:
    rows = ((html.link(page.url), Num(duration(page.seconds)), Num(size(page.bytes))) for page in pages)
    return html.table(caption, ["page", "time", "size, as sent"], rows)
