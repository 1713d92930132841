"""A PostgreSQL server of our own, from Debian's binaries: a cluster in a temporary folder, on a free port of 127.0.0.1.

As root it runs as an unprivileged user, for PostgreSQL refuses root. It forgets its folder at the end; nothing of the
machine's own clusters is touched.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

BINARIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
USER = "scraper"
PASSWORD = "no$secret@all"
START_S = 30.0
# Nobody's data: what a crash of this server loses does not matter, and tests of ours stop only their own side.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=20")


class NoServerError(Exception):
    """There is no PostgreSQL here, or it cannot be started; the text says why."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """A server; gives the URL of its database, password included. Raises NoServerError."""
    binaries, user = _binaries(), _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="scraper-postgres-", dir="/tmp"))
    try:
        if user:
            shutil.chown(folder, user)
        port = _free_port()
        _make_cluster(binaries, folder, user)
        with _server(binaries, folder, user, port):
            yield f"postgresql://{USER}:no%24secret%40all@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    """The folder of the newest `postgres` and `initdb`."""
    found = [path for pattern in BINARIES for path in Path("/").glob(pattern[1:]) if (path / "initdb").exists()]
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    if not found:
        raise NoServerError("PostgreSQL is not installed; on Debian and Ubuntu: apt install postgresql")
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdigit()])


def _unprivileged_user() -> str | None:
    """Whom a server started by root runs as; None where the tests do not run as root."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoServerError("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def _make_cluster(binaries: Path, folder: Path, user: str | None) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    if user:
        shutil.chown(password, user)
    command = [binaries / "initdb", "--pgdata", folder / "data", "--username", USER, "--pwfile", password]
    options = ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"]
    made = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, **_as(user, folder))
    if made.returncode:
        raise NoServerError(f"initdb failed: {made.stderr[-300:]}")


@contextmanager
def _server(binaries: Path, folder: Path, user: str | None, port: int) -> Iterator[None]:
    settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *SETTINGS]
    options = [word for setting in settings for word in ("-c", setting)]
    with open(folder / "log", "wb") as log:
        command = [binaries / "postgres", "-D", folder / "data", *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as(user, folder))
        try:
            _wait_for(process, port, folder / "log")
            yield
        finally:
            process.send_signal(signal.SIGINT)  # "fast": it ends all sessions and shuts down
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait until the server takes connections. Raises NoServerError where it ends or takes too long."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        # Its own word, not just a port that answers: it may still be recovering.
        if b"ready to accept connections" in log.read_bytes():
            return
        time.sleep(0.02)
    raise NoServerError(f"postgres did not start on port {port}: {log.read_bytes()[-300:].decode(errors='replace')}")


def _as(user: str | None, folder: Path) -> dict[str, Any]:
    """How its processes run: as that user, in a folder that he may enter, without root's groups."""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    if user is None:
        return {"cwd": folder, "env": environment}
    group = pwd.getpwnam(user).pw_gid
    return {"cwd": folder, "env": environment, "user": user, "group": group, "extra_groups": []}
