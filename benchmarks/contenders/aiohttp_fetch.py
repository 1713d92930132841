"""aiohttp on uvloop that only fetches, with a new TLS connection for each page; counts the pages and bytes it got."""

import asyncio
import ssl
import sys
from collections.abc import Iterator

import aiohttp
import uvloop

from benchmarks.contenders.job import CONNECTIONS, arguments, line


async def worker(session: aiohttp.ClientSession, urls: Iterator[str]) -> list[str]:
    """Take URLs until none is left; gives a line for each."""
    lines = []
    for url in urls:
        async with session.get(url) as response:
            response.raise_for_status()
            lines.append(line({"url": url, "bytes": len(await response.read())}))
    return lines


async def main() -> None:
    """Fetch the list; the third argument is the file of the authority that its certificates are from."""
    urls, out = arguments()
    trusted = ssl.create_default_context(cafile=sys.argv[3])
    queue = iter(urls)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=trusted, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        parts = await asyncio.gather(*(worker(session, queue) for _ in range(CONNECTIONS)))
    out.write_text("".join(text for part in parts for text in part), encoding="utf-8")


if __name__ == "__main__":
    uvloop.run(main())
