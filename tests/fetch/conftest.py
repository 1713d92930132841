"""A raw server on loopback that says exactly what a test tells it to, and clients on both wires."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from scraper import weburl
from scraper.config import FetchConfig, NetworkConfig, PolitenessConfig
from scraper.fetch.blocking import blocking_client, complete
from scraper.fetch.client import Client
from scraper.records import Job, Target

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
WIRES = ("pyreqwest", "httpx", "blocking pyreqwest", "blocking httpx")
"""The blocking ones are the same client on threads without a loop."""


class RawServer:
    """Answers the n-th request with the n-th reply, the last one for all further; a reply ends its connection."""

    def __init__(self, *replies: Reply, keep: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self._replies = replies
        self._keep = keep
        self._tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.dropped = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/"

    def head(self, name: str, request: int = -1) -> str | None:
        """The value of a header of a request, None where it was not sent."""
        for line in self.requests[request].decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    async def __aenter__(self) -> "RawServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer_all(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.dropped.set()
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            reply = self._replies[min(len(self.requests), len(self._replies)) - 1]
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(writer)
            if not self._keep:
                return


def _job_for(url: str, **fields: Any) -> Job:
    """The first hop of a URL; `target_url` names another target, `userinfo` its credentials."""
    target_url = fields.pop("target_url", url)
    target = Target(1, target_url, target_url, weburl.host(target_url), userinfo=fields.pop("userinfo", None))
    return Job(target, url, weburl.host(url), **fields)


def _no_lookup(host: str) -> tuple[str, ...]:
    raise AssertionError(f"a test asked the system for the address of {host}")


class OnThreads:
    """A client whose coroutines never suspend, for tests that await: a fetch runs on an idle thread, or a new one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._threads: list[ThreadPoolExecutor] = []
        self._idle: list[ThreadPoolExecutor] = []

    async def __aenter__(self) -> "OnThreads":
        complete(self._client.__aenter__())
        return self

    async def __aexit__(self, *exc: object) -> None:
        for thread in self._threads:
            await asyncio.to_thread(thread.shutdown)
        await asyncio.to_thread(lambda: complete(self._client.__aexit__(None, None, None)))

    async def fetch(self, job: Job, reservation: Any) -> Any:
        bridged = Bridged(reservation, asyncio.get_running_loop())
        thread = self._idle_thread()
        fetched = thread.submit(lambda: complete(self._client.fetch(job, bridged)))
        fetched.add_done_callback(lambda _: self._idle.append(thread))  # before this task goes on
        return await asyncio.wrap_future(fetched)

    def _idle_thread(self) -> ThreadPoolExecutor:
        """The one that became idle last: its connections are kept with it."""
        if self._idle:
            return self._idle.pop()
        self._threads.append(ThreadPoolExecutor(1))
        return self._threads[-1]

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        return complete(self._client.addresses_of(host))


class Bridged:
    """A reservation of the loop's, for a thread."""

    def __init__(self, reservation: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._reservation = reservation
        self._loop = loop
        self.try_grow = reservation.try_grow

    async def grow(self, n: int) -> None:
        asyncio.run_coroutine_threadsafe(self._reservation.grow(n), self._loop).result()


MakeClient = Callable[..., Awaitable[Client]]
Serve = Callable[..., Awaitable[RawServer]]


@pytest.fixture
def job_for() -> Callable[..., Job]:
    return _job_for


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=WIRES[:2])
def loop_wire(request: pytest.FixtureRequest) -> str:
    """For what only a loop's wire does: one connection for many pages at once, a clock that is stopped in mid-body."""
    return str(request.param)


@pytest.fixture
def tls() -> ssl.SSLContext:
    """A server context with a certificate nobody trusts (valid until 2126, for 127.0.0.1 and localhost)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    return context


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests, in `file`; what it signs is trusted by nobody else."""

    ca: trustme.CA
    file: str

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server that shows a certificate for these names, and looks at one of its client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        self.ca.configure_trust(context)
        return context

    def client(self, folder: Path) -> tuple[str, str, str]:
        """The files of a client certificate: both in one, the certificate, its key."""
        issued = self.ca.issue_cert("me@example.org")
        files = folder / "both.pem", folder / "cert.pem", folder / "key.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(files[0])
        issued.cert_chain_pems[0].write_to_path(files[1])
        issued.private_key_pem.write_to_path(files[2])
        return str(files[0]), str(files[1]), str(files[2])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca, file = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return Authority(ca, str(file))


@pytest.fixture
async def open_things() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test opened, and then finds no task left."""
    async with AsyncExitStack() as stack:
        yield stack
    for _ in range(20):  # asyncio closes a generator that a wire dropped half-way in a task, a turn or two later
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"tasks left: {left}")


@pytest.fixture
async def serve(open_things: AsyncExitStack) -> Serve:
    async def start(*replies: Reply, **options: Any) -> RawServer:
        return await open_things.enter_async_context(RawServer(*replies, **options))

    return start


@pytest.fixture
async def make_client(open_things: AsyncExitStack) -> MakeClient:
    """Makes clients; keywords are settings of [fetch], and what the Client takes besides."""

    async def make(
        *,
        network: str = "listed",
        lookup: Callable[[str], tuple[str, ...]] = _no_lookup,
        transport_object: httpx.AsyncBaseTransport | None = None,
        keep_heads: bool = False,
        **settings: Any,
    ) -> Client:
        transport: str = settings.get("transport", "pyreqwest")
        is_blocking = transport.startswith("blocking")
        fetch = FetchConfig(**{"timeout": 5.0, **settings, "transport": transport.removeprefix("blocking ")})
        rest = (PolitenessConfig(), NetworkConfig(private_addresses=network))
        if is_blocking:
            assert transport_object is None, "a wire of the test's own belongs to the loop"
            return await open_things.enter_async_context(
                OnThreads(blocking_client(fetch, *rest, lookup=lookup, keep_heads=keep_heads))
            )
        client = Client(fetch, *rest, transport=transport_object, lookup=lookup, keep_heads=keep_heads)
        return await open_things.enter_async_context(client)

    return make


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port that takes no further connection: the kernel drops each SYN (Linux: a backlog of 0 holds one)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for sock in waiting:
            sock.close()
