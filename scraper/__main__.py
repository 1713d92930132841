"""`python -m scraper` is the command `scraper`."""

from scraper.cli import entry

if __name__ == "__main__":
    entry()
