"""Contenders in Go: whether they can be built on this machine, and how. With Debian's packages; nothing is fetched."""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.bench import HERE, BenchError

GOPATH = Path("/usr/share/gocode")
"""Where Debian's golang-*-dev packages put their sources."""
GOQUERY = Path("src/github.com/PuerkitoBio/goquery")
GOQUERY_PACKAGE = "golang-github-puerkitobio-goquery-dev"
BUILD_S = 180
"""Since 1.20 Go comes without its standard library compiled: that takes a minute where the machine is slow."""


def find_go() -> str | None:
    """The Go compiler of this machine; None where it has none."""
    return shutil.which("go")


def lacking() -> str | None:
    """What is not here that building needs, in words; None where all is."""
    if find_go() is None:
        return "needs Go (Debian: golang-go)"
    if not (GOPATH / GOQUERY).is_dir():
        return f"needs goquery in {GOPATH} (Debian: {GOQUERY_PACKAGE})"
    return None


def build(name: str, folder: Path) -> Path:
    """The program contenders/NAME/main.go, compiled into a folder. Raises BenchError where it does not compile."""
    command = find_go()
    assert command is not None, "ask lacking first"
    program = folder / name
    source = HERE / "contenders" / name / "main.go"
    try:
        done = subprocess.run(
            [command, "build", "-o", str(program), str(source)],
            cwd=folder,
            env=_environment(folder),
            capture_output=True,
            text=True,
            timeout=BUILD_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchError(f"{source.relative_to(HERE)} is not compiled after {BUILD_S} s") from exc
    if done.returncode:
        raise BenchError(f"{source.relative_to(HERE)} does not compile:\n{done.stderr}")
    return program


def _environment(folder: Path) -> dict[str, str]:
    """A GOPATH build (without modules, so without the network), with none of the user's own settings of Go."""
    ours = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOPROXY": "off", "GOENV": "off", "GOFLAGS": ""}
    return {**os.environ, **ours, "GOTOOLCHAIN": "local", "GOCACHE": str(folder / "cache")}


def go_versions() -> dict[str, str]:
    """Name -> version of Go and of goquery, of which Debian's is years old; empty where they are not here."""
    command = find_go()
    if command is None or lacking():
        return {}
    return {"Go": _said(command, "env", "GOVERSION").removeprefix("go"), "goquery": _goquery_version()}


def _goquery_version() -> str:
    """As its package tells it: the sources name none."""
    query = shutil.which("dpkg-query")
    said = _said(query, "--show", "--showformat=${Version}", GOQUERY_PACKAGE) if query else ""
    return said or "unknown"


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
