"""The files that say which pages there are."""

import re
from xml.etree import ElementTree

import pytest

from scraper.site.pagemap import SITEMAP_LENGTH, PageMap, list_numbers, list_pages, robots_txt

BASE = "http://shop.test"
NAMESPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def test_products_and_articles_take_turns() -> None:
    pages = PageMap(5)
    assert [pages.detail_path(index) for index in range(5)] == [
        "/shop/item/1",
        "/news/1",
        "/shop/item/2",
        "/news/2",
        "/shop/item/3",
    ]
    assert (pages.products, pages.articles) == (3, 2)


@pytest.mark.parametrize("details", [1, 2, 499, 500, 501, 2000])
def test_urls_txt_holds_every_detail_page_once(details: int) -> None:
    pages = PageMap(details)
    lines = b"".join(pages.urls_txt(BASE)).decode().splitlines()
    assert lines == [BASE + pages.detail_path(index) for index in range(details)]
    assert len(set(lines)) == details


def test_a_sitemap_lists_every_page() -> None:
    pages = PageMap(1203)
    listed = _locations(b"".join(pages.sitemap(1, BASE)))
    wanted = [*pages.front_paths, *map(pages.detail_path, range(1203))]
    assert listed == [BASE + path for path in wanted]
    assert pages.front_paths[:3] == ["/", "/shop/", "/shop/?page=2"]
    assert len(pages.front_paths) == 1 + 31 + 31


def test_a_large_sitemap_is_cut_into_parts_that_lose_and_repeat_nothing() -> None:
    pages = PageMap(120_000)
    parts = [_locations(b"".join(pages.sitemap(part, BASE))) for part in range(1, pages.sitemaps + 1)]
    assert [len(part) for part in parts] == [SITEMAP_LENGTH, SITEMAP_LENGTH, 20_000 + len(pages.front_paths)]
    assert len(set().union(*parts)) == 120_000 + len(pages.front_paths)
    assert _locations(pages.sitemap_index(BASE)) == [f"{BASE}/sitemap-{n}.xml" for n in (1, 2, 3)]


def test_a_full_sitemap_has_no_second_part() -> None:
    sitemaps = {}
    for details in range(47_600, 47_640):
        pages = PageMap(details)
        sitemaps[details + len(pages.front_paths)] = pages.sitemaps
    assert min(sitemaps) < SITEMAP_LENGTH < max(sitemaps)
    assert sitemaps == {total: 1 if total <= SITEMAP_LENGTH else 2 for total in sitemaps}


def test_articles_carry_their_date_in_the_sitemap() -> None:
    text = b"".join(PageMap(10).sitemap(1, BASE)).decode()
    assert len(re.findall(r"/news/\d+</loc><lastmod>\d{4}-\d\d-\d\d</lastmod>", text)) == 5


def test_robots_txt_closes_private_only_and_names_the_sitemap() -> None:
    assert robots_txt(BASE).decode().split("\n") == [
        "User-agent: *",
        "Disallow: /private/",
        "",
        f"Sitemap: {BASE}/sitemap.xml",
        "",
    ]


@pytest.mark.parametrize(
    ("things", "pages", "last"), [(0, 1, []), (1, 1, [1]), (20, 1, list(range(1, 21))), (41, 3, [41])]
)
def test_list_pages_share_out_all_things(things: int, pages: int, last: list[int]) -> None:
    assert list_pages(things) == pages
    assert list(list_numbers(pages, things)) == last


def _locations(xml: bytes) -> list[str]:
    return [element.text for element in ElementTree.fromstring(xml).iterfind(".//s:loc", NAMESPACE)]
