"""Runs the practice site on a real server: here and now, or in a process of its own for as long as a `with` block."""

import errno
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from scraper.errors import ScraperError, UsageError
from scraper.site.options import SiteOptions
from scraper.site.pagemap import PageMap

DEFAULT_HOST = "127.0.0.1"
KEEP_ALIVE_S = 75
_EXIT_WAIT_S = 10
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class RunningSite:
    """A site that answers in another process."""

    url: str
    """Scheme, host and port, no slash at the end."""
    pid: int
    options: SiteOptions

    @property
    def paths(self) -> list[str]:
        """The path of every detail page, product and article in turn."""
        return list(PageMap(self.options.pages).detail_paths)


def serve(
    options: SiteOptions, host: str = DEFAULT_HOST, port: int = 8000, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted (SIGINT returns, SIGTERM ends the process); main thread only.

    Port 0 takes any free one. `ready` gets the site's URL once connections are accepted by the system.
    UsageError where the address cannot be used.
    """
    import uvicorn  # here, so that naming the site costs no server

    from scraper.site.answers import Site
    from scraper.site.app import SiteApp

    with bind(host, port) as listener:
        site = Site(options)
        site.render_ahead(url_of(listener))
        config = uvicorn.Config(
            SiteApp(site),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # a cut body is an error to the server's log, here it is what was asked for
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        if ready is not None:
            ready(url_of(listener))
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def running_site(options: SiteOptions, host: str = DEFAULT_HOST, port: int = 0) -> Iterator[RunningSite]:
    """The site in a process of its own, so that it shares no GIL with whom it serves; gone when the block ends.

    Takes about half a second to start. The process also ends when this one dies, however that happens.
    UsageError where the address cannot be used.
    """
    request = json.dumps({"options": asdict(options), "host": host, "port": port})
    # Nothing is sent through the child's stdin: its end tells the child that this process is gone.
    process = subprocess.Popen(
        [sys.executable, "-m", "scraper.site", request],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for whom it serves, who may still want to drain
    )
    with process:
        try:
            yield RunningSite(_read_url(process), process.pid, options)
        finally:
            process.kill()  # it holds nothing worth saving
            process.wait(_EXIT_WAIT_S)


def serve_child(request: str) -> None:
    """The child's side of `running_site`: serve what the JSON request says, report the URL or an error on stdout."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    wanted = json.loads(request)
    try:
        serve(SiteOptions(**wanted["options"]), wanted["host"], wanted["port"], ready=lambda url: _report("url", url))
    except UsageError as exc:
        _report("error", str(exc))


def bind(host: str, port: int) -> socket.socket:
    """A listening TCP socket. UsageError with a hint where the address is taken, not ours or not allowed."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as exc:
        raise UsageError(f"{host!r} is no address of this machine: try --host {DEFAULT_HOST}") from exc
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise UsageError(_bind_hint(host, port, exc)) from exc
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL of a listening socket, no slash at the end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind_hint(host: str, port: int, exc: OSError) -> str:
    where = f"port {port} on {host}"
    if exc.errno == errno.EADDRINUSE:
        return f"{where} is in use: choose another with --port, or --port 0 for any free one"
    if exc.errno == errno.EACCES:
        return f"{where} needs rights this user does not have: choose a port above 1023 with --port"
    return f"{where} cannot be served ({exc.strerror}): try --host {DEFAULT_HOST}"


def _read_url(process: subprocess.Popen[bytes]) -> str:
    """Wait for the child's report; the child ends by itself where it cannot serve, so this never waits for ever."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ScraperError(f"the practice site did not start: its process ended with code {process.wait(_EXIT_WAIT_S)}")
    report: dict[str, str] = json.loads(line)
    if "error" in report:
        raise UsageError(report["error"])
    return report["url"]


def _report(kind: str, text: str) -> None:
    print(json.dumps({kind: text}), flush=True)


def _exit_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)
