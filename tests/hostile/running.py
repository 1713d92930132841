"""`scraper run` as a process of its own over a hostile server, watched while it runs."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.behaviours import Behaviour
from tests.hostile.server import HostileServer
from tests.hostile.tree import Tree

ROOT = Path(__file__).parents[2]
GIVE_UP_S = 110.0


@dataclass
class Run:
    """How one run over all behaviours went."""

    code: int | None
    stderr: str
    took_s: float
    tree: Tree
    left: list[int]
    lines: list[str]
    """The list's lines, in order."""
    names: list[str]
    """What each line is called."""
    rows: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    summary: dict[str, Any]

    @property
    def outcomes(self) -> dict[str, str]:
        """Name -> ok, or the kind of failure."""
        name_of = dict(zip(self.lines, self.names, strict=True))
        found = {name_of[row["url"]]: "ok" for row in self.rows}
        return found | {self.names[failure["line"] - 1]: failure["error"] for failure in self.failures}


async def run_over(
    behaviours: dict[str, Behaviour], folder: Path, settings: Sequence[str], more_lines: Mapping[str, str] = {}
) -> Run:
    """Scrape each behaviour's URL and then the other lines, in a folder that is empty but for what settings name."""
    async with HostileServer(behaviours) as server:
        names, lines = [*server.urls, *more_lines], [*server.urls.values(), *more_lines]
        (folder / "urls.txt").write_text("".join(f"{line}\n" for line in lines))
        sets = [word for setting in settings for word in ("--set", setting)]
        started = time.monotonic()
        with (folder / "stderr").open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "scraper", "run", "urls.txt", "--no-progress", *sets,
                cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=stderr, stderr=stderr,
            )  # fmt: skip
            tree = Tree(process.pid)
            code = await watched(process, tree)
        took_s = time.monotonic() - started
        left = tree.left()
    output = folder / "output"
    return Run(
        code, (folder / "stderr").read_text(), took_s, tree, left, lines, names,
        rows=list(records(output / "pages.jsonl")), failures=list(records(output / "failures.jsonl")),
        summary=json.loads((output / "summary.json").read_text()),
    )  # fmt: skip


async def watched(process: asyncio.subprocess.Process, tree: Tree) -> int | None:
    """The exit code; None where it had to be killed."""
    end = asyncio.ensure_future(process.wait())
    until = time.monotonic() + GIVE_UP_S
    while not end.done() and time.monotonic() < until:
        tree.sample()
        await asyncio.wait([end], timeout=0.05)
    if not end.done():
        process.kill()
        await end
        return None
    return end.result()


def records(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_bytes().splitlines())
