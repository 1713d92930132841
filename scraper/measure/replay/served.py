"""A recording served again from this machine, with the latencies it was recorded with.

Each host gets a loopback address of its own and each of its origins a port there: so a host is still a host to
politeness, to connections and to shards, and http and https of one host are not mixed up. LACKS has what differs.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address

from scraper import weburl
from scraper.errors import ScraperError, UsageError
from scraper.measure.replay.recording import Answer, Recording

LACKS = (
    "TLS and HTTP/2: pages come over plain HTTP/1.1, whatever they came over",
    "name lookups, and connections that are slow to open: those are part of the recorded latency",
    "a server that gets slower when asked for more at once: latencies are those of the recording",
)
"""What the replay lacks, in words."""

FIRST_ADDRESS = IPv4Address("127.64.0.1")
"""Behind the addresses that people use themselves."""
_EXIT_WAIT_S = 10

_DROPPED = frozenset(
    {
        "alt-svc",
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "strict-transport-security",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of the connection (RFC 9110 section 7.6.1), and those that lead to another one."""
_COOKIE_BOUNDS = re.compile(r";\s*(?:domain=[^;]*|secure)(?=;|$)", re.IGNORECASE)

Places = Mapping[str, str]
"""Origin that was recorded -> origin that serves it now."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A server that runs."""

    places: Places
    pid: int

    def url_of(self, url: str) -> str | None:
        """Where a recorded URL is served; None for one of no recorded origin."""
        return moved(url, self.places)


def addresses_of(origins: Iterable[str]) -> dict[str, str]:
    """Origin -> the loopback address of its host, in order of their coming.

    >>> addresses_of(["http://a.example", "https://a.example", "http://b.example"])
    {'http://a.example': '127.64.0.1', 'https://a.example': '127.64.0.1', 'http://b.example': '127.64.0.2'}
    """
    hosts: dict[str, str] = {}
    found = {}
    for origin in origins:
        found[origin] = hosts.setdefault(weburl.host(origin), str(FIRST_ADDRESS + len(hosts)))
    return found


def moved(url: str, places: Places) -> str | None:
    """An absolute URL as it is served; None where its origin is not.

    >>> moved("https://a.example/x?y", {"https://a.example": "http://127.64.0.1:81"})
    'http://127.64.0.1:81/x?y'
    """
    parsed = weburl.parse(url)
    if parsed is None or parsed.origin not in places:
        return None
    return places[parsed.origin] + parsed.pathname + parsed.search


def head_of(answer: Answer, places: Places) -> bytes | None:
    """The head as it is sent again; None for a redirect to what was not recorded: nobody shall be sent there."""
    lines = []
    for name, value in answer.headers:
        key = name.lower()
        if key in _DROPPED:
            continue
        if key == "location":
            there = moved(weburl.resolve(answer.url, value) or "", places)
            if there is None:
                return None
            value = there
        elif key == "set-cookie":
            value = _COOKIE_BOUNDS.sub("", value)  # a loopback address has no domain, and no TLS
        lines.append(f"{name}: {value}")
    lines.append(f"content-length: {answer.size}")
    status_line = f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"
    return "\r\n".join([status_line, *lines, "", ""]).encode("latin-1", "replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def origins_of(answers: Iterable[Answer]) -> list[str]:
    """Every origin once, in order."""
    return list(dict.fromkeys(weburl.origin(answer.url) for answer in answers))


@contextmanager
def running_replay(recording: Recording) -> Iterator[Replay]:
    """Serve a recording from a process of its own, on free ports; gone when the block ends, or this process does.

    UsageError where this machine has no such addresses.
    """
    command = [sys.executable, "-m", "scraper.measure.replay.server", str(recording.folder)]
    # Nothing is sent through the child's stdin: its end tells the child that this process is gone.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    with process:
        try:
            yield Replay(_places(process), process.pid)
        finally:
            process.kill()
            process.wait(_EXIT_WAIT_S)


def _places(process: "subprocess.Popen[bytes]") -> Places:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ScraperError(f"the replay did not start: its process ended with code {process.wait(_EXIT_WAIT_S)}")
    told: dict[str, dict[str, str] | str] = json.loads(line)
    if isinstance(error := told.get("error"), str):
        raise UsageError(error)
    assert isinstance(told["places"], dict)
    return told["places"]
