"""The scenarios by name. Each is a function from the options to what was served, in words, and the measured cases."""

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.results import Case
from benchmarks.scenarios import heavy, hosts, job, latency, million, real, startup, tls

Scenario = Callable[[Bench], tuple[str, list[Case]]]

SCENARIOS: dict[str, Scenario] = {
    "job": job.run,
    "real": real.run,
    "latency": latency.run,
    "million": million.run,
    "startup": startup.run,
    "tls": tls.run,
    "heavy": heavy.run,
    "hosts": hosts.run,
}
