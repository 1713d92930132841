"""The servers that are scraped, each a process of its own on a free port of this machine, gone after its block."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import SITE_PAGE_BYTES, PageFolder
from scraper.site import SiteOptions, running_site

START_S = 10
NGINX_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")

_NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    types {{ text/html html; }}
    sendfile on;
    tcp_nopush on;
    open_file_cache max=10000;
    keepalive_timeout {keepalive_s}s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        {listen}
        root {root};
    }}
}}
"""


def find_nginx() -> str | None:
    """The nginx of this machine; None where it has none. It often stands where a user's PATH does not look."""
    return shutil.which("nginx") or next(filter(None, (shutil.which("nginx", path=f) for f in NGINX_FOLDERS)), None)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def nginx(root: Path, folder: Path, listen: Sequence[str], keepalive_s: int = 75) -> Iterator[None]:
    """nginx with one worker for the files of `root`; `listen` holds the lines that say where and how.

    The first `listen` line begins with the address to wait for. `folder` takes its config and logs.
    """
    command = find_nginx()
    assert command is not None, "ask find_nginx first"
    for path in (root, folder):
        path.chmod(0o755)  # the worker is another user where nginx is started by root
    config = folder / "nginx.conf"
    config.write_text(
        _NGINX.format(folder=folder, keepalive_s=keepalive_s, root=root, listen="\n        ".join(listen))
    )
    process = subprocess.Popen([command, "-p", str(folder), "-e", str(folder / "nginx.log"), "-c", str(config)])
    try:
        _wait_for(process, *_address(listen[0]))
        yield
    finally:
        process.terminate()
        process.wait(START_S)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.split()[1].rstrip(";").partition(":")
    return host, int(port)


def _wait_for(process: "subprocess.Popen[bytes]", host: str, port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise
        time.sleep(0.02)


UrlsOf = Callable[[int], list[str]]
"""Gives so many different URLs."""


@contextmanager
def serve_pages(pages: PageFolder, folder: Path) -> Iterator[tuple[UrlsOf, str]]:
    """Serve a page folder by nginx or, where there is none, the practice site instead of it.

    Gives a function for the URLs, and what serves, in words.
    """
    if find_nginx() is None:
        with running_site(SiteOptions(pages=100_000, size_bytes=SITE_PAGE_BYTES)) as site:
            yield lambda count: [site.url + path for path in site.paths[:count]], "the practice site"
        return
    port = free_port()
    with nginx(pages.folder, folder, [f"listen 127.0.0.1:{port} backlog=4096;"]):
        yield lambda count: [f"http://127.0.0.1:{port}{path}" for path in pages.paths(count)], "nginx, one worker"


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    """Without a path."""
    pid: int


@contextmanager
def delay_server(latency_s: float, body_bytes: int, *, everywhere: bool = False) -> Iterator[Server]:
    """A server that answers every path with the same small page after a while; everywhere: on all of 127.0.0.0/8."""
    command = [sys.executable, "-m", "benchmarks.delay_server", str(latency_s), str(body_bytes)]
    command += ["everywhere"] if everywhere else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Server(process.stdout.readline().strip(), process.pid)
    finally:
        process.terminate()
        process.wait(START_S)
        process.stdout.close()
