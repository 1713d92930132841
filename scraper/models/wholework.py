"""All the work on one page in one place, blocking: fetch it, keep its body, parse it, encode its row."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec.structs import replace

from scraper.fetch.blocking import blocking_client, complete
from scraper.fetch.body import Reservation
from scraper.models.blueprint import Blueprint
from scraper.models.fetchers import keeper_of
from scraper.models.inline import handler_of
from scraper.records import Fault, Job, Page, Parsed, Read, Redirect

Answer = Page | Read | Redirect | Fault


class WholeWork:
    """The client and the parser of one process; `do` may be called on any number of its threads at once."""

    def __init__(self, blueprint: Blueprint) -> None:
        """Compile the rules. Raises ParsePoolError where the plan cannot be carried out."""
        config = blueprint.config
        self._wall = blueprint.wall
        self._handle = handler_of(blueprint.setup, self._wall, blueprint.workers)
        self._keeper = keeper_of(blueprint)
        self._client = blocking_client(config.fetch, config.politeness, config.network, keep_heads=blueprint.keep_heads)
        complete(self._client.__aenter__())

    def do(self, job: Job, memory: Reservation, parsing: Callable[[], AbstractContextManager[None]]) -> Answer:
        """What came of a job; of a page its row, but where it is to be parsed elsewhere. `parsing` is around that."""
        answer = complete(self._client.fetch(job, memory))
        if not isinstance(answer, Page) or job.target.robots_url is not None:
            return answer
        page = answer if self._keeper is None else self._keeper.keep_here(answer)
        if isinstance(page, Fault) or (self._wall is not None and self._wall.holds(page)):
            return page
        with parsing():
            started = time.monotonic()
            parsed = self._handle(page)
            took_s = time.monotonic() - started
        return Read(replace(page, body=b"", exchange=None), len(page.body), parsed, took_s)

    def addresses_of(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none where they cannot be found."""
        return complete(self._client.addresses_of(host))

    def close(self) -> None:
        """Close the connections."""
        complete(self._client.__aexit__(None, None, None))


def given_up(job: Job, parsed: Parsed) -> Read:
    """The answer for a page that nobody could finish."""
    return Read(Page(job.target.url, job.url, 200, "", b"", 0.0), 0, parsed)
