"""httpx with selectolax, in one process."""

import asyncio
from collections.abc import Iterator
from typing import TextIO

import httpx
import uvloop
from selectolax.lexbor import LexborHTMLParser

from benchmarks.contenders.job import CONNECTIONS, arguments, line, six_fields


async def worker(client: httpx.AsyncClient, urls: Iterator[str], file: TextIO) -> None:
    """Take URLs until none is left."""
    for url in urls:
        response = await client.get(url)
        response.raise_for_status()
        file.write(line(six_fields(url, LexborHTMLParser(response.content))))


async def main() -> None:
    """Do the job."""
    urls, out = arguments()
    queue = iter(urls)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    with out.open("w", encoding="utf-8") as file:
        async with httpx.AsyncClient(limits=limits, timeout=30) as client:
            await asyncio.gather(*(worker(client, queue, file) for _ in range(CONNECTIONS)))


if __name__ == "__main__":
    uvloop.run(main())
