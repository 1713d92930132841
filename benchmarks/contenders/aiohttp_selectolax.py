"""aiohttp on uvloop with selectolax, in one process."""

import asyncio
from collections.abc import Iterator
from typing import TextIO

import aiohttp
import uvloop
from selectolax.lexbor import LexborHTMLParser

from benchmarks.contenders.job import CONNECTIONS, arguments, line, six_fields


async def worker(session: aiohttp.ClientSession, urls: Iterator[str], file: TextIO) -> None:
    """Take URLs until none is left."""
    for url in urls:
        async with session.get(url) as response:
            response.raise_for_status()
            body = await response.read()
        file.write(line(six_fields(url, LexborHTMLParser(body))))


async def main() -> None:
    """Do the job."""
    urls, out = arguments()
    queue = iter(urls)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    with out.open("w", encoding="utf-8") as file:
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(worker(session, queue, file) for _ in range(CONNECTIONS)))


if __name__ == "__main__":
    uvloop.run(main())
