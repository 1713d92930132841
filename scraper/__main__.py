"""The command `scraper`, also as `python -m scraper`. Imports next to nothing: Ctrl-C comes also while the rest is."""

import os
from typing import NoReturn

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def entry() -> NoReturn:
    """What the installed command calls."""
    try:
        from scraper.cli import entry as run

        run()
    except KeyboardInterrupt:
        os.write(2, b"scraper: interrupted\n")
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    entry()
