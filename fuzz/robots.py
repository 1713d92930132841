"""robots.txt: any bytes are rules, and any URL is forbidden by one of them or is not. Nothing is slow or raises."""

import math

from fuzz.shaping import bounded, grown
from scraper.records import SourceLine, Target
from scraper.urls.canonical import identify
from scraper.urls.robots import agent_names, parse_robots

AGENTS = agent_names("hybrid-scraper/0.1")

SEEDS = (
    b"\0/a\nUser-agent: *\nDisallow: /a\nAllow: /a/b$\nCrawl-delay: 2.5\n",
    b"\0/fish.html?x=*\nuser-agent: hybrid-scraper\nuser-agent: other\ndisallow: /*.php$\n",
    b"\0/%7ea\n\xef\xbb\xbfUser-agent: HYBRID-SCRAPER/2.0, x\rDisallow: /~\xc3\xa9\n",
    b"\0/\n\xff\xfeU\0s\0e\0r\0-\0a\0g\0e\0n\0t\0:\0*\0",
    b"\0/aaaaaaaaaaaaaaaaaaaaaaaab\nUser-agent: *\nDisallow: /*a*a*a*a*a*a*a*c\n",
    b"\0/\n<html><body>User-agent: *<br>\nDisallow: /</body>",
    b"\0/\nUser-agent: *\nCrawl-delay: nan\nCrawl-delay: -1\nCrawl-delay: 1e999\n",
    b"\xff/\nUser-agent:*\nDisallow:/*a",
    b"\xff<",
    b"\xff/\nAllow:/index.html\n",
    b"\0/\nDisallow /x\nNoindex: /\nSitemap: x\n",
)


def check(data: bytes) -> None:
    """`data`: see `grown`; a URL's path up to the first line end, then the body."""
    path, _, body = grown(data).partition(b"\n")
    _, found = identify(SourceLine("http://a.example/" + path.decode("utf-8", "surrogateescape")[:2000]))
    url = found.href if isinstance(found, Target) else "http://a.example/"
    with bounded():
        robots = parse_robots(body, AGENTS)
        pattern = robots.forbidding(url)
    delay_s = robots.crawl_delay
    assert delay_s is None or (delay_s >= 0 and math.isfinite(delay_s))
    assert pattern is None or pattern.encode()
    assert robots.forbidding("http://a.example/robots.txt") is None
    assert parse_robots(body, AGENTS).forbidding(url) == pattern
