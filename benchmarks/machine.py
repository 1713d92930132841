"""Where and with what a benchmark ran: processors, Python, libraries, servers."""

import hashlib
import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.golang import go_versions
from benchmarks.servers import find_nginx

LIBRARIES = (
    "hybrid-scraper",
    "pyreqwest",
    "selectolax",
    "uvloop",
    "httpx",
    "aiohttp",
    "scrapy",
    "requests",
    "beautifulsoup4",
    "trafilatura",
)


def sources_digest(folder: Path) -> str:
    """A short fingerprint of all Python files below a folder: which code it was that ran."""
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def load() -> str:
    """How busy the machine is besides, in words; to be asked before a benchmark makes it busy."""
    return f"load average {os.getloadavg()[0]:.1f} at the start"


def machine() -> str:
    """The processors and memory, in words."""
    cores = len(os.sched_getaffinity(0))
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{cores} cores of {cpu_model()}, {gib:.0f} GiB, {platform.system()} {platform.release()}"


def cpu_model() -> str:
    """The processor's name; the architecture where the system does not tell it."""
    found = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def versions() -> dict[str, str]:
    """Name -> version of all that takes part and is installed."""
    found = {"Python": platform.python_version(), **go_versions()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if nginx := find_nginx():
        said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False).stderr
        found["nginx"] = said.strip().rpartition("/")[2]
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
