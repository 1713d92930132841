"""Why URLs failed: failures.jsonl as a few lines a kind, and what to do about each. Reads; decides nothing of a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from scraper.records import FailureKind
from scraper.revisit import NEVER_RETRIED
from scraper.urls.canonical import key_of

ADVICE: Mapping[FailureKind, str] = {
    "invalid_url": "mend the lines in the list",
    "unsupported_scheme": "take them out of the list",
    "robots": "ask the site",
    "blocked_address": "list that address itself, or see network.private_addresses",
    "dns": "check the spelling",
    "connect": "see whether the host is up, or a firewall in the way",
    "tls": "open one in a browser",
    "timeout": "try later, or raise fetch.timeout",
    "protocol": 'try later, or with fetch.transport = "httpx"',
    "truncated": "try later",
    "too_large": "raise fetch.max_body",
    "decode": "look at one in a browser: the server is broken",
    "too_many_redirects": "the site may send in circles those who keep no cookies: see fetch.cookies",
    "bad_redirect": "look at one in a browser",
    "http_status": "look at the status: one of 5xx may pass, 404 will not",
    "not_html": "take them out of the list",
    "required_field": "try the rule: scraper inspect URL -c FILE",
    "parse_crash": "try one: scraper inspect URL -c FILE",
    "parse_timeout": "raise parse.timeout, or look at your function",
    "parse_memory": "raise parse.max_memory, or look at your function",
}
"""What to do, by kind, before another try."""
MESSAGE_CHARS = 120
KEPT = 2000
"""Different messages, and hosts, of a kind that are counted at a time: 0.5 MB each at most."""


class Ranking:
    """How often each of many texts came, in bounded memory: where there are too many, the rare ones are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        """`kept`: texts of which no occurrence is lost, as long as there are no more."""
        self._kept = kept
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Count a text."""
        self._counts[text] += 1
        if len(self._counts) > 2 * self._kept:
            self._counts = Counter(dict(self._counts.most_common(self._kept)))

    def top(self, count: int) -> list[tuple[str, int]]:
        """The most frequent ones, most frequent first.

        >>> ranking = Ranking()
        >>> for text in "abba":
        ...     ranking.add(text)
        >>> ranking.add("b"); ranking.top(1)
        [('b', 3)]
        """
        return self._counts.most_common(count)


class Reasons:
    """What the failures of one kind have in common."""

    def __init__(self) -> None:
        """None yet."""
        self.messages = Ranking()
        self.hosts = Ranking()


class FailureLine(msgspec.Struct):
    """What is read of a line of failures.jsonl."""

    url: str
    error: str
    message: str
    status: int | None = None


_decode = msgspec.json.Decoder(FailureLine).decode


def reasons_of(lines: Iterable[FailureLine], stale: Mapping[int, str]) -> dict[str, Reasons]:
    """The reasons by kind. `stale`: key -> last outcome of the URLs that have more than one line, or no good one."""
    found: defaultdict[str, Reasons] = defaultdict(Reasons)
    left = dict(stale)
    for line in lines:
        key = key_of(line.url) if stale else None
        if key is not None and key in stale:
            if left.get(key) != line.error:
                continue
            del left[key]
        reasons = found[line.error]
        reasons.messages.add(_message_of(line))
        if host := _host_of(line.url):
            reasons.hosts.add(host)
    return dict(found)


def committed_failures(path: Path, length: int) -> Iterator[FailureLine]:
    """The lines in the first `length` bytes of failures.jsonl; none of a file that is missing. Broken ones are left."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            length -= len(line)
            if length < 0:
                return
            try:
                yield _decode(line)
            except msgspec.MsgspecError:  # changed by hand: the journal has the numbers
                continue


def advice_on(kind: str) -> tuple[str, str | None]:
    """What to do about failures of a kind, and the option of `scraper run` that tries them again, None where none does.

    >>> advice_on("dns")
    ('check the spelling', '--retry-failed=dns')
    """
    advice = next((advice for known, advice in ADVICE.items() if known == kind), "see docs/output.md")
    return advice, None if kind in NEVER_RETRIED else f"--retry-failed={kind}"


def shown(text: str, chars: int = MESSAGE_CHARS) -> str:
    """A text as it may go to a terminal: some of it comes from servers."""
    short = text if len(text) <= chars else f"{text[:chars]}…"
    return "".join(char if char.isprintable() else "\ufffd" for char in short)


def _message_of(line: FailureLine) -> str:
    """The message; of an answer's status only that, for what follows it is the page's own words."""
    return shown(line.message.partition(":")[0] if line.error == "http_status" else line.message)


def _host_of(url: str) -> str:
    """The host, "" for what is no URL."""
    try:
        return shown(urlsplit(url).hostname or "")
    except ValueError:
        return ""
