"""What the site answers: routes, page content as a scraper reads it, faults."""

import json
from functools import cache
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from scraper.site.answers import Answer, Site
from scraper.site.options import SiteOptions

BASE = "http://127.0.0.1:8000"


@cache
def site_of(pages: int = 1000, size_bytes: int | None = None) -> Site:
    """A site without faults remembers nothing, so tests may share it."""
    return Site(SiteOptions(pages=pages, size_bytes=size_bytes))


def get(site: Site, path: str, query: str = "") -> Answer:
    return site.answer(site.plan(path), path, query, BASE)


def tree_of(answer: Answer) -> LexborHTMLParser:
    assert isinstance(answer.body, bytes)
    return LexborHTMLParser(answer.body)


def json_ld(tree: LexborHTMLParser) -> list[dict[str, Any]]:
    return [json.loads(node.text()) for node in tree.css('script[type="application/ld+json"]')]


def text(tree: LexborHTMLParser, css: str) -> str:
    node = tree.css_first(css)
    assert node is not None, css
    return node.text()


def meta(tree: LexborHTMLParser, name: str) -> str | None:
    node = tree.css_first(f'meta[property="{name}"]')
    return None if node is None else node.attributes["content"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/", "", 200),
        ("/shop/", "", 200),
        ("/shop/", "page=1", 200),
        ("/shop/", "page=3", 200),
        ("/shop/", "page=4", 404),
        ("/shop/", "page=0", 404),
        ("/shop/", "page=-1", 404),
        ("/shop/", "page=x", 404),
        ("/shop/", "page=", 404),
        ("/shop/", "page=" + "9" * 5000, 404),
        ("/shop/", "other=1", 200),
        ("/news/", "page=3", 200),
        ("/shop/item/1", "", 200),
        ("/shop/item/51", "", 200),
        ("/shop/item/52", "", 404),
        ("/shop/item/0", "", 404),
        ("/shop/item/01", "", 404),
        ("/shop/item/1/", "", 404),
        ("/shop/item/" + "9" * 5000, "", 404),
        ("/news/50", "", 200),
        ("/news/51", "", 404),
        ("/private/", "", 200),
        ("/robots.txt", "", 200),
        ("/urls.txt", "", 200),
        ("/sitemap.xml", "", 200),
        ("/sitemap-1.xml", "", 404),
        ("/images/shop-1.svg", "", 200),
        ("/nowhere", "", 404),
    ],
)
def test_routes(path: str, query: str, status: int) -> None:
    assert get(site_of(101), path, query).status == status


def test_a_large_site_has_a_sitemap_in_parts() -> None:
    site = site_of(60_000)
    assert b"<sitemapindex" in get(site, "/sitemap.xml").body  # type: ignore[operator]
    assert [get(site, f"/sitemap-{part}.xml").status for part in (1, 2, 3)] == [200, 200, 404]


@pytest.mark.parametrize("number", range(1, 21))
def test_a_product_page_says_the_same_in_text_json_ld_and_open_graph(number: int) -> None:
    tree = tree_of(get(site_of(), f"/shop/item/{number}"))
    product, trail = json_ld(tree)
    assert (product["@type"], trail["@type"]) == ("Product", "BreadcrumbList")
    offer = product["offers"]
    assert text(tree, "h1") == product["name"] == meta(tree, "og:title") == trail["itemListElement"][-1]["name"]
    assert text(tree, ".price") == f"£{offer['price']}"
    assert meta(tree, "product:price:amount") == offer["price"]
    assert (offer["priceCurrency"], meta(tree, "product:price:currency")) == ("GBP", "GBP")
    assert text(tree, ".brand span") == product["brand"]["name"]
    assert text(tree, ".description") == product["description"] == meta(tree, "og:description")
    assert ("OutOfStock" in offer["availability"]) == text(tree, ".stock").startswith("Out of stock")
    assert tree.css_first('link[rel="canonical"]').attributes["href"] == f"{BASE}/shop/item/{number}"
    assert [node.text() for node in tree.css(".breadcrumb li")] == ["Home", "Shop", product["name"]]


@pytest.mark.parametrize("size", [None, 300_000])
def test_the_rating_is_the_mean_of_the_reviews_shown(size: int | None) -> None:
    site = site_of(size_bytes=size)
    rated = 0
    for number in range(1, 21):
        tree = tree_of(get(site, f"/shop/item/{number}"))
        stars = [int(node.attributes["data-stars"] or 0) for node in tree.css(".review")]
        rating = json_ld(tree)[0].get("aggregateRating")
        assert (rating is None) == (not stars)
        if rating:
            rated += 1
            assert rating["reviewCount"] == len(stars)
            assert rating["ratingValue"] == pytest.approx(sum(stars) / len(stars), abs=0.051)
    assert rated > 10


@pytest.mark.parametrize("number", range(1, 21))
def test_an_article_page_says_the_same_in_text_json_ld_and_open_graph(number: int) -> None:
    tree = tree_of(get(site_of(), f"/news/{number}"))
    article, _ = json_ld(tree)
    assert article["@type"] == "NewsArticle"
    assert text(tree, "h1") == article["headline"] == meta(tree, "og:title")
    assert text(tree, ".author") == article["author"]["name"] == meta(tree, "article:author")
    stamp = tree.css_first("time").attributes["datetime"]
    assert stamp == article["datePublished"] == meta(tree, "article:published_time")
    assert tree.css_first('link[rel="canonical"]').attributes["href"] == f"{BASE}/news/{number}"
    paragraphs = [node.text() for node in tree.css(".article-body p")]
    assert 5 <= len(paragraphs) <= 13
    assert len(set(paragraphs)) == len(paragraphs)


@pytest.mark.parametrize(("path", "prefix"), [("/shop/", "/shop/item/"), ("/news/", "/news/")])
def test_following_next_from_the_first_list_page_meets_every_page_once(path: str, prefix: str) -> None:
    site, query, met = site_of(130), "", []
    while True:
        tree = tree_of(get(site, path, query))
        met += [node.attributes["href"] for node in tree.css(".card a")]
        following = tree.css_first('head link[rel="next"]')
        assert (following is None) == (tree.css_first('a[rel="next"]') is None)
        if following is None:
            break
        query = (following.attributes["href"] or "").partition("?")[2]
    assert met == [f"{prefix}{number}" for number in range(1, 66)]


def test_no_link_of_a_page_leads_nowhere() -> None:
    site = site_of(50)
    for path in ("/", "/shop/", "/news/", "/shop/item/7", "/news/7", "/private/"):
        tree = tree_of(get(site, path))
        hrefs = [node.attributes["href"] for node in tree.css("a")] + [
            node.attributes["src"] for node in tree.css("img")
        ]
        assert {get(site, *(href or "").partition("?")[::2]).status for href in hrefs} == {200}


@pytest.mark.parametrize("size", [16 << 10, 40 << 10, 200 << 10, 1 << 20])
def test_pages_have_about_the_size_asked_for(size: int) -> None:
    site = site_of(size_bytes=size)
    for path in [f"/shop/item/{number}" for number in range(1, 11)] + [f"/news/{number}" for number in range(1, 11)]:
        assert len(get(site, path).body) == pytest.approx(size, rel=0.15)  # type: ignore[arg-type]


def test_a_page_is_the_same_whatever_the_order_and_the_number_of_pages() -> None:
    small, large = Site(SiteOptions(pages=40)), Site(SiteOptions(pages=40))
    paths = [f"/shop/item/{number}" for number in range(1, 21)] + [f"/news/{number}" for number in range(1, 21)]
    assert [get(small, path) for path in paths] == [get(large, path) for path in reversed(paths)][::-1]
    first, larger = tree_of(get(small, "/news/3")), tree_of(get(site_of(4000), "/news/3"))
    assert text(first, ".article-body") == text(larger, ".article-body")


def test_another_seed_is_another_site() -> None:
    one, two = Site(SiteOptions(seed=1)), Site(SiteOptions(seed=2))
    assert get(one, "/news/1").body != get(two, "/news/1").body


def test_a_page_made_ahead_is_the_page_made_on_request() -> None:
    ahead, later = Site(SiteOptions(pages=20)), Site(SiteOptions(pages=20))
    ahead.render_ahead(BASE, limit_bytes=50_000)
    paths = [f"/shop/item/{number}" for number in range(1, 11)]
    assert [get(ahead, path) for path in paths] == [get(later, path) for path in paths]
    assert get(ahead, "/shop/item/1").body is get(ahead, "/shop/item/1").body
    assert get(ahead, "/shop/item/10").body is not get(ahead, "/shop/item/10").body


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("not_found", [404, 404, 404]),
        ("rate_limited", [429, 200, 429]),
        ("flaky", [500, 200, 500]),
        ("slow", [200, 200, 200]),
        ("cut", [200, 200, 200]),
        ("redirect", [302, 302, 302]),
    ],
)
def test_what_each_fault_answers_try_by_try(fault: str, statuses: list[int]) -> None:
    site = Site(SiteOptions(**{fault: 1.0}))
    answers = [get(site, "/news/5") for _ in range(3)]
    assert [answer.status for answer in answers] == statuses
    assert {answer.cut for answer in answers} == {fault == "cut"}


def test_a_moved_page_names_its_new_place_and_answers_there() -> None:
    site = Site(SiteOptions(redirect=1))
    moved = dict(get(site, "/news/5").headers)
    assert moved == {b"location": b"/news/5?moved=1"}
    assert get(site, "/news/5", "moved=1").body == get(site_of(), "/news/5").body


def test_a_limited_page_says_when_to_come_back() -> None:
    assert get(Site(SiteOptions(rate_limited=1)), "/news/5").headers == ((b"retry-after", b"1"),)


@pytest.mark.parametrize("path", ["/", "/shop/", "/news/", "/robots.txt", "/sitemap.xml", "/urls.txt"])
def test_only_detail_pages_have_faults(path: str) -> None:
    site = Site(SiteOptions(not_found=0.5, cut=0.5))
    assert site.plan(path).fault is None
    assert get(site, path).status == 200
