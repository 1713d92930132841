"""robots.txt read and asked (RFC 9309). Pure.

Why no library: the maintained ones turn each rule into a regular expression, and a rule of a few dozen bytes, such as
`/*a*a*a*a*a*a*a*b`, then holds the process for minutes; here a rule is looked for in pieces. Protego, the nearest to
the RFC, also reads 12 of the 323 cases of crawler-commons otherwise: agents with a version or a comma, UTF-16, markup.

Beyond the RFC: `Crawl-delay` is read for the agents of its group, misspelt names that Google's parser or
crawler-commons take are taken too, since their authors meant to forbid, and markup around the lines is left out.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_BYTES = 500 * 1024
"""RFC 9309 section 2.5: at least so much must be read; the rest is left unread."""
MOST_WILDCARDS = 2000
"""Rules with wildcards are tried one by one, 3 us each: so many hold the loop for 6 ms. Further ones are not read."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_AGENT = re.compile(r"[^\s/,;]+")
_MARKUP = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(r"\S*(?:https?://|@)\S*")
_ESCAPED = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NAMES = {
    "user-agent": "agent",
    "useragent": "agent",
    "user agent": "agent",
    "useg-agent": "agent",
    "allow": "allow",
    "disallow": "disallow",
    "dissallow": "disallow",
    "dissalow": "disallow",
    "disalow": "disallow",
    "diasllow": "disallow",
    "desallow": "disallow",
    "crawl-delay": "delay",
    "crawldelay": "delay",
    "crawl delay": "delay",
}


@dataclass(slots=True)
class _Group:
    """What one or more `user-agent` lines are followed by."""

    rules: list[tuple[bool, str]] = field(default_factory=list)
    """(allows, pattern as written)."""
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class _Wildcard:
    """A pattern with `*` or `$`, in pieces."""

    pattern: str
    allows: bool
    pieces: tuple[str, ...]
    is_anchored: bool

    def matches(self, path: str) -> bool:
        first, *others = self.pieces
        if not path.startswith(first):
            return False
        at = len(first)
        last = others.pop() if self.is_anchored and others else None
        for piece in others:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        if last is not None:
            return len(path) - len(last) >= at and path.endswith(last)
        return not self.is_anchored or at == len(path)


class Robots:
    """The rules of one robots.txt for one crawler."""

    def __init__(self, rules: list[tuple[bool, str]], crawl_delay: float | None) -> None:
        """`rules`: (allows, pattern as written). `crawl_delay`: seconds between requests, where some are asked for."""
        self.crawl_delay = crawl_delay
        self._plain: dict[str, bool] = {}
        wildcards: list[_Wildcard] = []
        for allows, written in rules:
            pattern = normal(written)
            if "*" in pattern or pattern.endswith("$"):
                if len(wildcards) < MOST_WILDCARDS:
                    wildcards.append(_wildcard(pattern, allows))
            else:
                self._plain[pattern] = allows or self._plain.get(pattern, False)
        self._lengths = sorted({len(pattern) for pattern in self._plain}, reverse=True)
        self._wildcards = sorted(wildcards, key=lambda rule: (len(rule.pattern), rule.allows), reverse=True)

    def forbidding(self, url: str) -> str | None:
        """The pattern that forbids a canonical URL, None where it may be fetched.

        The longest match counts, `allow` where two are as long (section 2.2.2). robots.txt itself is always allowed.
        """
        if not self._lengths and not self._wildcards:
            return None
        path = path_of(url)
        if path == "/robots.txt":
            return None
        pattern, allows = self._longest_plain(path)
        for rule in self._wildcards:
            if len(rule.pattern) < len(pattern) or (len(rule.pattern) == len(pattern) and allows):
                break
            if rule.matches(path):
                pattern, allows = rule.pattern, rule.allows
                break
        return None if allows else pattern

    def _longest_plain(self, path: str) -> tuple[str, bool]:
        for length in self._lengths:
            allows = self._plain.get(path[:length])
            if allows is not None and length <= len(path):
                return path[:length], allows
        return "", True


ALLOW_ALL = Robots([], None)
"""What a missing robots.txt says."""


def parse_robots(body: bytes, agents: frozenset[str]) -> Robots:
    """The rules of a robots.txt for the crawler of these names, in lower case: those of `agent_names`.

    Every line is read or left out: no body is an error. All groups for one of the names count together; only where
    there is none, those for `*`.
    """
    groups = _groups(_text(body[:MAX_BYTES]))
    named = [group for agent, found in groups.items() if agent in agents for group in found]
    chosen = named or groups.get("*", [])
    delays = [group.delay for group in chosen if group.delay is not None]
    return Robots([rule for group in chosen for rule in group.rules], max(delays, default=None))


def agent_names(user_agent: str) -> frozenset[str]:
    """The names by which a robots.txt may call a crawler: the words of its User-Agent, less addresses and versions.

    RFC 9309 section 2.2.1 has one product token, which the User-Agent should contain; whose User-Agent has several is
    meant by each.

    >>> sorted(agent_names("Mozilla/5.0 (compatible; hybrid-scraper/0.1; +https://a.example)"))
    ['compatible', 'hybrid-scraper', 'mozilla']
    """
    words = (_AGENT.match(word.strip("()")) for word in re.split(r"[\s,;]+", _ADDRESS.sub(" ", user_agent)))
    return frozenset(word[0].lower() for word in words if word)


def path_of(url: str) -> str:
    """Path and query of a canonical URL, in the form that patterns are compared in.

    >>> path_of("http://a.example/%7Ea/%e3%81?b=*")
    '/~a/%E3%81?b=%2A'
    """
    at = url.find("/", len("https://"))
    path = normal(url[at:].partition("#")[0]) if at >= 0 else "/"
    return path.replace("*", "%2A").replace("$", "%24")


def normal(text: str) -> str:
    """A path or pattern with one spelling for each octet (section 2.2.2): unreserved ones plain, others as %XX.

    >>> normal("/caf\\u00e9/%7e%2f$")
    '/caf%C3%A9/~%2F$'
    """
    if not text.isascii():
        text = "".join(
            char if char.isascii() else "".join(f"%{octet:02X}" for octet in char.encode("utf-8", "surrogatepass"))
            for char in text
        )
    return _ESCAPED.sub(_one_spelling, text) if "%" in text else text


def _one_spelling(escaped: re.Match[str]) -> str:
    char = chr(int(escaped[1], 16))
    return char if char in _UNRESERVED else f"%{escaped[1].upper()}"


def _wildcard(pattern: str, allows: bool) -> _Wildcard:
    is_anchored = pattern.endswith("$")
    first, *others = (pattern[:-1] if is_anchored else pattern).split("*")
    between = [piece for piece in others[:-1] if piece]  # two stars in a row mean one
    return _Wildcard(pattern, allows, (first, *between, *others[-1:]), is_anchored)


def _text(body: bytes) -> str:
    """UTF-8, as the RFC wants it; by its mark also UTF-16, which editors on Windows write."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    return body.decode("utf-8-sig", "replace")


def _records(text: str) -> Iterator[tuple[str, str]]:
    """(kind, value) of each line that says something to us."""
    if "<" in text:
        text = _MARKUP.sub("", text)
    for line in _LINE_END.split(text):
        name, colon, value = line.partition("#")[0].partition(":")
        if not colon:  # some write a space instead
            name, _, value = name.strip().partition(" ")
        kind = _NAMES.get(name.strip().lower())
        if kind:
            yield kind, value.strip()


def _groups(text: str) -> dict[str, list[_Group]]:
    """The groups by the agents they are for. Only rules end a run of `user-agent` lines (section 2.1)."""
    groups: dict[str, list[_Group]] = {}
    group = _Group()
    is_ruled = False
    for kind, value in _records(text):
        if kind == "agent":
            group = _Group() if is_ruled else group
            is_ruled = False
            for agent in _agents(value):
                groups.setdefault(agent, []).append(group)
        elif kind == "delay":
            group.delay = _seconds(value) if group.delay is None else group.delay
        else:
            is_ruled = True
            if value:  # an empty one forbids nothing
                group.rules += _rules(kind == "allow", value)
    return groups


def _rules(allows: bool, pattern: str) -> list[tuple[bool, str]]:
    """A rule, and what Google's parser takes it to mean besides: who allows a folder's index page allows the folder."""
    folder, slash, page = pattern.rpartition("/")
    if allows and page in ("index.html", "index.htm"):
        return [(True, pattern), (True, f"{folder}{slash}$")]
    return [(allows, pattern)]


def _agents(value: str) -> list[str]:
    """The tokens a `user-agent` line names: the RFC has one; lists with commas and versions are met in the wild."""
    found = (_AGENT.match(part.strip()) for part in value.split(","))
    return [token[0].lower() for token in found if token]


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if seconds >= 0 and math.isfinite(seconds) else None
