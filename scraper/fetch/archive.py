"""The fetch shell of archives: replies out of WARC files in place of the network's. Each is read on a thread."""

import asyncio
from types import TracebackType
from typing import Self

from scraper.coding import CodingError, fault_for
from scraper.fetch.answer import BodyHead
from scraper.fetch.body import Reservation
from scraper.fetch.kept import KeptReply
from scraper.records import ArchivePlace, FailureKind, Fault, Job, Page
from scraper.warcfile import READ_BYTES, ArchiveError, CutError


class ArchiveFetcher:
    """Has the shape of `client.Client`, for jobs whose targets have a place. No network is touched."""

    def __init__(self, max_body: int, *, keep_heads: bool = False) -> None:
        """`max_body`: bytes of a body as it was kept. `keep_heads`: give each page its `exchange`, for an archive."""
        self._max_body = max_body
        self._keep_heads = keep_heads

    async def __aenter__(self) -> Self:
        """Files are opened for each reply."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """None: nothing is connected to."""
        return ()

    async def fetch(self, job: Job, reservation: Reservation) -> Page | Fault:
        """Read the reply of a job. The caller keeps the reservation, whatever comes back."""
        place = job.target.place
        if place is None:
            raise ValueError(f"{job.url} has no place in an archive")
        try:
            reply = await asyncio.to_thread(_open, place)
        except (ArchiveError, OSError) as exc:
            return _fault(exc, place)
        try:
            return await self._page(job, reply, reservation)
        except CodingError as exc:
            return fault_for(exc, reply.status)
        except (ArchiveError, OSError) as exc:
            return _fault(exc, place, reply.status)
        finally:
            reply.close()

    async def _page(self, job: Job, reply: KeptReply, reservation: Reservation) -> Page | Fault:
        if not isinstance(reply.answer, BodyHead):
            return reply.answer
        size = min(reply.size, self._max_body)
        if not reservation.try_grow(size):
            await reservation.grow(size)
        return await asyncio.to_thread(reply.page, job, self._max_body, keep_head=self._keep_heads)


def _open(place: ArchivePlace) -> KeptReply:
    file = open(place.file, "rb", buffering=READ_BYTES)  # noqa: SIM115 - the reply takes it over
    try:
        return KeptReply(file, place)
    except BaseException:
        file.close()
        raise


def _fault(exc: Exception, place: ArchivePlace, status: int | None = None) -> Fault:
    kind: FailureKind = "truncated" if isinstance(exc, CutError) else "protocol"
    reason = getattr(exc, "strerror", None) or str(exc)
    return Fault(kind, f"{reason} (in {place.file}, behind byte {place.offset:,})", status)
