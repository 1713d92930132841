"""Where each format of a run's rows goes: names in the output folder, and what stands there already."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scraper import disk
from scraper.config.writing import expanded
from scraper.errors import UsageError

NAMES = {
    "jsonl": "pages.jsonl",
    "jsonl.gz": "pages.jsonl.gz",
    "jsonl.zst": "pages.jsonl.zst",
    "csv": "pages.csv",
    "csv.gz": "pages.csv.gz",
    "csv.zst": "pages.csv.zst",
    "parquet": "pages.parquet",
    "sqlite": "pages.sqlite",
    "duckdb": "pages.duckdb",
    "warc": "pages.warc.gz",
}
"""The rows' file by format, or folder in the case of parquet; postgres has none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of one format go."""

    format: str
    path: Path | None
    """The file, or the folder of the parts; None for a URL."""
    url: str = ""
    """With all its secrets; never to be shown."""
    shown: str = ""
    """As the user wrote it."""


def places(folder: Path, formats: Sequence[str], written: Sequence[str], paths: Sequence[str]) -> tuple[Place, ...]:
    """The place of each format. `written` and `paths`: as `WriteConfig` has them.

    >>> places(Path("out"), ["csv"], [""], [""])[0].path.as_posix(), places(Path("o"), ["csv"], ["x/"], ["x/"])[0].shown
    ('out/pages.csv', 'x/pages.csv')
    """
    return tuple(map(lambda *told: _place(folder, *told), formats, written, paths))


def _place(folder: Path, format: str, written: str, path: str) -> Place:
    if "://" in path:
        return Place(format, None, path, written)
    if not path:
        local = folder / NAMES[format]
    elif path.endswith("/") or (Path(path).is_dir() and format != "parquet"):
        local = Path(path) / NAMES[format]
    else:
        local = Path(path)
    return Place(format, local, shown=str(local))


def places_told(folder: Path, shape: Mapping[str, Any]) -> tuple[Place, ...]:
    """Where the rows of a run are, as its journal's header tells.

    Raises ValueError where a path names a variable of the environment that is not set.
    """
    written = shape.get("path") or [""]
    return places(folder, shape.get("format") or ["jsonl"], written, list(map(expanded, written)))


def holds_rows(path: Path) -> bool:
    """Whether there is something that a run of this format may have written."""
    if path.is_dir():
        return any(path.iterdir())
    return path.is_file() and path.stat().st_size > 0


def replaceable(path: Path) -> Path:
    """The file that is replaced when `path` is written anew: where it is a link, what that leads to.

    Raises UsageError for a device, a pipe or a socket: a file in its place would be no service to anybody.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UsageError(f"{path}: is no file: name another one with -o")
    return path


def remove_rows(path: Path) -> None:
    """Remove what a run of an earlier session wrote there, with what its format keeps beside the file.

    In a folder only the parts are ours; the folder goes where nothing else is in it.
    """
    if path.is_dir():
        for part in path.glob("part-*"):
            disk.unlink(part)
        with suppress(OSError):  # somebody's files are in it
            path.rmdir()
        return
    for beside in ("", "-wal", "-shm", "-journal", ".wal", ".rows", ".rows.new", ".new"):
        file = path.with_name(path.name + beside)
        if file.exists():
            disk.unlink(file)
