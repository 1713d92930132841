"""The news pages as HTML: articles and lists of articles. Pure: a number and the site's address in, HTML out."""

from collections.abc import Sequence
from html import escape
from typing import Any

from scraper.site.bank import Bank, blocks_for
from scraper.site.catalogue import Article, make_article, make_paragraphs
from scraper.site.layout import (
    Head,
    breadcrumb,
    breadcrumb_json_ld,
    document,
    list_href,
    list_links,
    page_numbers,
    related_links,
)
from scraper.site.seeded import Draws

NEWS_PATH = "/news/"

_TRAIL = (("Home", "/"), ("News", NEWS_PATH))
_NATURAL_PARAGRAPHS = (4, 12)


class News:
    """Renders the articles 1..articles. Paragraphs and measures are made once; nothing changes afterwards."""

    def __init__(self, seed: int, articles: int, size_bytes: int | None) -> None:
        """`size_bytes`: about how long an article's page is, None = natural."""
        self._seed = seed
        self._articles = articles
        blocks = [f"<p>{escape(text)}</p>\n".encode() for text in make_paragraphs(seed)]
        bare = len(_article_html(make_article(seed, 1), b"", [1, 2, 3, 4], "http://127.0.0.1:8000"))
        self._wanted = None if size_bytes is None else blocks_for(size_bytes, bare, blocks)
        self._bank = Bank(blocks, self._wanted or _NATURAL_PARAGRAPHS[1])

    def article_html(self, number: int, base: str) -> bytes:
        """The page of an article; `base` is scheme and host of the site."""
        draws = Draws(self._seed, "text", str(number))
        count = draws.between(*_NATURAL_PARAGRAPHS) if self._wanted is None else self._wanted
        text = self._bank.run(draws.below(len(self._bank)), count)
        related = sorted({1 + draws.below(self._articles) for _ in range(4)} - {number})
        return _article_html(make_article(self._seed, number), text, related, base)

    def list_html(self, page: int, pages: int, numbers: range, base: str) -> bytes:
        """Page `page` of `pages` of the list of all articles, newest first, showing these numbers."""
        head = Head(
            title=f"News, page {page}",
            description="What happened between the fell and the harbour.",
            canonical=base + list_href(NEWS_PATH, page),
            links=list_links(base, NEWS_PATH, page, pages),
        )
        cards = "\n".join(_card_html(make_article(self._seed, number)) for number in numbers)
        return document(
            head, f'<h1>News</h1>\n<div class="articles">\n{cards}\n</div>\n', page_numbers(NEWS_PATH, page, pages)
        )


def _article_html(article: Article, text: bytes, related: Sequence[int], base: str) -> bytes:
    title, lead = escape(article.title), escape(article.lead)
    head = Head(
        title=title,
        description=lead,
        canonical=f"{base}{NEWS_PATH}{article.number}",
        kind="article",
        properties={
            "og:image": _image(article, base),
            "article:published_time": article.published.isoformat(),
            "article:author": escape(article.author),
            "article:section": article.desk,
        },
        json_ld=(_article_json_ld(article, base), breadcrumb_json_ld(base, _TRAIL, article.title)),
    )
    return document(
        head,
        breadcrumb(_TRAIL, title),
        f'<article class="news">\n<h1>{title}</h1>\n{_byline_html(article)}\n',
        f'<div class="article-body">\n<p class="lead">{lead}</p>\n',
        text,
        "</div>\n</article>\n",
        related_links("More news", NEWS_PATH, related),
    )


def _byline_html(article: Article) -> str:
    author, desk = f'<span class="author">{escape(article.author)}</span>', f'<span class="desk">{article.desk}</span>'
    return f'<p class="byline">By {author}, {_time_html(article)}, {desk}</p>'


def _card_html(article: Article) -> str:
    link = f'<a href="{NEWS_PATH}{article.number}">{escape(article.title)}</a>'
    return f'<div class="card"><h2>{link}</h2><p>{_time_html(article)}</p><p>{escape(article.lead)}</p></div>'


def _article_json_ld(article: Article, base: str) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "description": article.lead,
        "articleSection": article.desk,
        "image": _image(article, base),
        "datePublished": article.published.isoformat(),
        "author": {"@type": "Person", "name": article.author},
        "publisher": {"@type": "Organization", "name": "Fell & Harbour"},
        "mainEntityOfPage": f"{base}{NEWS_PATH}{article.number}",
    }


def _time_html(article: Article) -> str:
    published = article.published
    return f'<time datetime="{published.isoformat()}">{published.day} {published:%B %Y}</time>'


def _image(article: Article, base: str) -> str:
    return f"{base}/images/news-{article.number}.svg"
