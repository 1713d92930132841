"""Scrapy with what this job does not need switched off, and its own selectors (parsel on lxml) where they are quick."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import scrapy
from lxml import etree
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from benchmarks.contenders.job import CONNECTIONS, Row, arguments

SETTINGS = {
    "CONCURRENT_REQUESTS": CONNECTIONS,
    "CONCURRENT_REQUESTS_PER_DOMAIN": CONNECTIONS,
    "CONCURRENT_ITEMS": 1,  # a page gives one item, and Scrapy starts this many tasks for every page
    "DOWNLOAD_DELAY": 0,
    "AUTOTHROTTLE_ENABLED": False,
    "RETRY_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "COOKIES_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "DOWNLOADER_STATS": False,
    "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
    "STATS_DUMP": False,
    "HTTPCOMPRESSION_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "REFERER_ENABLED": False,
    "MEMUSAGE_ENABLED": False,
    "DNSCACHE_ENABLED": True,
    # uvloop, tried as ASYNCIO_EVENT_LOOP, made no difference.
    "LOG_LEVEL": "ERROR",
}


class ListSpider(scrapy.Spider):
    """Fetches a list of URLs, follows nothing."""

    name = "list"
    urls: list[str]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Every URL once: the list has no doubles, so the filter need not look."""
        for url in self.urls:
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response: Response) -> Iterator[Row]:
        """The six fields."""
        yield {
            "url": response.url,
            "title": joined(response.xpath("//title")[:1].xpath(".//text()").getall()),
            "h1": joined(response.xpath("(//h1)[1]//text()").getall()),
            "description": response.css('meta[name="description"]::attr(content)').get(),
            "links": [response.urljoin(href) for href in response.css("a[href]::attr(href)").getall()],
            "paragraphs": len(response.css("p")),
            "text_length": text_length(response.selector.root),
        }


def text_length(root: etree._Element) -> int:
    """The length of the visible text, white space collapsed.

    Asked of lxml itself: a parsel selector for each of a page's text nodes took half of all the time.
    """
    etree.strip_elements(root, etree.Comment, "script", "style", "noscript", "template", with_tail=False)
    body = root.find("body")
    return 0 if body is None else len(" ".join(" ".join(body.itertext()).split()))


def joined(texts: list[str]) -> str | None:
    """The texts as one, white space collapsed; None where there are none."""
    return " ".join("".join(texts).split()) or None


def crawl(urls: list[str], out: Path) -> None:
    """Do the job."""
    feeds = {str(out): {"format": "jsonlines", "overwrite": True}}
    process = CrawlerProcess({**SETTINGS, "FEEDS": feeds})
    process.crawl(ListSpider, urls=urls)
    process.start()


if __name__ == "__main__":
    crawl(*arguments())
