"""Which pages are the same though they are listed under several URLs. Pure."""

from typing import Literal

from scraper.urls.seen import SeenSet


class Distinct:
    """The pages that have given a row, by what `write.dedupe` compares. Not thread-safe; 11 to 23 bytes a page."""

    def __init__(self, by: Literal["final_url", "content"]) -> None:
        """No page yet."""
        self._by_content = by == "content"
        self._seen = SeenSet()

    def add(self, final: int, content: int) -> bool:
        """Take up a page; False where one like it was there before.

        `final`: the fingerprint of the URL that answered. `content`: the hash of the plain body. Pages that are told
        apart by their content are told apart by it alone: one URL that answered twice with other content is two pages.
        """
        return self._seen.add(content if self._by_content else final)
