"""Main text, author, date and language of an article, by trafilatura (extra `article`). Imported only when used."""

from collections.abc import Callable
from typing import Any

from scraper.errors import ConfigError

ARTICLE_FIELDS = ("text", "author", "date", "language")

ArticleReader = Callable[[str | bytes, str, str | None], dict[str, Any]]


def load_article_reader() -> ArticleReader:
    """A function `(html, url, lang attribute) -> fields`. Raises ConfigError where the extra is not installed.

    Costs half a second, the import of trafilatura; call it once in a process.
    """
    try:
        from trafilatura import bare_extraction
    except ImportError as exc:
        raise ConfigError(
            f"parse.article: needs the extra article ({exc}); install it with: pip install 'hybrid-scraper[article]'"
        ) from exc

    def read(html: str | bytes, url: str, lang: str | None) -> dict[str, Any]:
        document = bare_extraction(html, url=url, with_metadata=True, include_comments=False)
        found = {} if document is None else document.as_dict()
        return {
            "text": found.get("text") or None,
            "author": found.get("author") or None,
            "date": found.get("date") or None,
            "language": found.get("language") or (lang.split("-")[0].lower() if lang else None),
        }

    return read
