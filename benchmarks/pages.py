"""The pages to scrape: HTML documentation that this machine happens to have, or the practice site's, as files.

No real page is kept in the project. Documents that are not UTF-8 are left out: charsets are not what is compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from scraper.site.answers import Site
from scraper.site.options import SiteOptions
from scraper.site.pagemap import PageMap

DOCUMENTATION = Path("/usr/share/doc")
SMALLEST, LARGEST = 4 * 1024, 200 * 1024
ENOUGH = 500
SITE_PAGES = 1000
SITE_PAGE_BYTES = 34_000
_OTHER_CHARSET = re.compile(rb"""charset=["']?(?!utf-?8)[a-z]""", re.IGNORECASE)


@dataclass(frozen=True)
class PageFolder:
    """A folder of HTML files, ready to be served."""

    folder: Path
    names: list[str]
    what: str
    """Where they come from, for the report."""

    @property
    def mean_bytes(self) -> float:
        """The mean size of a page."""
        return sum((self.folder / name).stat().st_size for name in self.names) / len(self.names)

    def paths(self, pages: int) -> list[str]:
        """As many different URL paths as asked for; files come again under another query."""
        return list(islice(_repeat(self.names), pages))

    def describe(self, pages: int) -> str:
        """The pages in a few words."""
        return f"{pages:,} pages ({len(self.names):,} {self.what}, {self.mean_bytes / 1000:.0f} KB on average)"


def _repeat(names: list[str]) -> Iterator[str]:
    return (f"/{name}?copy={copy}" if copy else f"/{name}" for copy in count() for name in names)


def make_pages(folder: Path) -> PageFolder:
    """Documentation pages where there are enough of them, else pages of the practice site."""
    files = documentation(DOCUMENTATION)
    return link_files(folder, files) if len(files) >= ENOUGH else render_site(folder)


def documentation(root: Path) -> list[Path]:
    """HTML files of a usual size in UTF-8 below a folder, in the order of their paths."""
    files = (path for path in sorted(root.rglob("*.html")) if path.is_file())
    return [path for path in files if SMALLEST <= path.stat().st_size <= LARGEST and is_utf8(path.read_bytes())]


def is_utf8(page: bytes) -> bool:
    """Whether a page is, and says nothing else.

    >>> is_utf8(b"<title>a"), is_utf8(b'<meta charset="latin1">'), is_utf8(b"caf\\xe9")
    (True, False, False)
    """
    try:
        page.decode()
    except UnicodeDecodeError:
        return False
    return not _OTHER_CHARSET.search(page[:2048])


def link_files(folder: Path, files: list[Path]) -> PageFolder:
    """A folder of links to files."""
    names = [f"{number:05d}.html" for number, _ in enumerate(files)]
    for name, path in zip(names, files, strict=True):
        (folder / name).symlink_to(path)
    return PageFolder(folder, names, f"documents of {DOCUMENTATION}")


def render_site(folder: Path, page_bytes: int | None = SITE_PAGE_BYTES) -> PageFolder:
    """The practice site's detail pages as files, of a size or, with None, as they are: 4 to 8 KB."""
    options = SiteOptions(pages=SITE_PAGES, size_bytes=page_bytes)
    site, names = Site(options), []
    for number, path in enumerate(PageMap(options.pages).detail_paths):
        body = site.answer(site.plan(path), path, "", "http://127.0.0.1").body
        assert isinstance(body, bytes)
        names.append(f"{number:05d}.html")
        (folder / names[-1]).write_bytes(body)
    return PageFolder(folder, names, "pages of the practice site")
