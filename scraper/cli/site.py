"""`scraper site`: serve the practice site until interrupted. Reads its options and prints; the site is scraper.site."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from scraper.cli.speak import give, tell

T = TypeVar("T")


def site(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8000,
    pages: Annotated[int, typer.Option(min=1, help="Detail pages: products and articles, half each.")] = 1000,
    seed: Annotated[int, typer.Option(help="Another number gives another site.")] = 1,
    size: Annotated[str, typer.Option(help='Bytes of HTML a page, e.g. "40KiB"; natural is 4-8 KiB.')] = "natural",
    latency: Annotated[str, typer.Option(help='Wait before each answer, e.g. "50ms".')] = "0s",
    jitter: Annotated[str, typer.Option(help="Move each page's latency up or down by at most this.")] = "0s",
    not_found: Annotated[float, typer.Option(help="Share of pages, 0 to 1, that answer 404.")] = 0.0,
    rate_limited: Annotated[float, typer.Option(help="Share that answers 429, and the page at the next try.")] = 0.0,
    flaky: Annotated[float, typer.Option(help="Share that answers 500, and the page at the next try.")] = 0.0,
    slow: Annotated[float, typer.Option(help="Share that answers after --slow-for.")] = 0.0,
    slow_for: Annotated[str, typer.Option(help="How long a slow page takes.")] = "3s",
    cut: Annotated[float, typer.Option(help="Share whose body breaks off in the middle.")] = 0.0,
    redirect: Annotated[float, typer.Option(help="Share that redirects to itself with ?moved=1.")] = 0.0,
) -> None:
    """Serve a made-up shop and newspaper on this machine to try settings on."""
    from scraper.config import parse_duration, parse_size
    from scraper.errors import UsageError
    from scraper.site.options import SiteOptions
    from scraper.site.server import serve

    try:
        options = SiteOptions(
            pages=pages,
            seed=seed,
            size_bytes=None if size == "natural" else _read("--size", size, parse_size),
            latency_s=_read("--latency", latency, parse_duration),
            jitter_s=_read("--jitter", jitter, parse_duration),
            not_found=not_found,
            rate_limited=rate_limited,
            flaky=flaky,
            slow=slow,
            cut=cut,
            redirect=redirect,
            slow_s=_read("--slow-for", slow_for, parse_duration),
        )
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    serve(options, host, port, ready=_announce)


def _read(option: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ValueError as exc:
        raise ValueError(f"{option}: {exc}") from exc


def _announce(url: str) -> None:
    give(f"{url}/\n")
    tell(
        f"The shop is at {url}/shop/, the news at {url}/news/, all pages in {url}/sitemap.xml\n"
        f"Scrape it:  curl -s {url}/urls.txt | scraper run -\n"
        "Stop it with Ctrl-C."
    )
