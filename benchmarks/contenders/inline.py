"""One process that fetches on bare sockets and parses in the loop with the tool's own parser: what the pool must beat.

Reads its parse plan from the config given as third argument.
"""

import sys
import time
from pathlib import Path

from benchmarks.contenders.job import CONNECTIONS, arguments
from benchmarks.contenders.sockets import fetch_all
from scraper.config import load_config
from scraper.records import Page
from scraper.work import build


def main() -> None:
    """Do the job."""
    urls, out = arguments()
    handle = build(load_config(Path(sys.argv[3])).parse_plan())

    with out.open("wb") as file:

        def on_body(url: str, body: bytes) -> None:
            parsed = handle(Page(url, url, 200, "text/html", body, time.time()))
            file.write(parsed.row or b"")

        fetch_all(urls, on_body, CONNECTIONS)


if __name__ == "__main__":
    main()
