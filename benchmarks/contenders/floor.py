"""The floor: bare sockets and the HTML parser in one process, with the six fields or (`two`) title and h1 only."""

import sys
from typing import TextIO

from selectolax.lexbor import LexborHTMLParser

from benchmarks.contenders.job import CONNECTIONS, Extract, Row, arguments, line, six_fields, two_fields
from benchmarks.contenders.sockets import fetch_all


def main(extract: Extract) -> None:
    """Do the job."""
    urls, out = arguments()
    with out.open("w", encoding="utf-8") as file:
        fetch_all(urls, lambda url, body: _write(file, extract(url, LexborHTMLParser(body))), CONNECTIONS)


def _write(file: TextIO, row: Row) -> None:
    file.write(line(row))


if __name__ == "__main__":
    main(two_fields if sys.argv[3:] == ["two"] else six_fields)
