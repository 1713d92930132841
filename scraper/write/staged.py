"""Stores of formats that exist only as whole files: rows are safe in a staging file until a part is made of them.

    write ─► DIR/pages.parquet.rows, durable at each commit ── part_bytes reached ──► part-00000.parquet, closed

The journal names the closed parts and the length of the staging file. A part stands under its final name before the
line that names it; one that no line names is nobody's, and is made again from the rows that are still staged.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from scraper import disk
from scraper.errors import SinkError
from scraper.write.cull import Cull
from scraper.write.files import AppendFile
from scraper.write.store import Rewritten


class PartForm(Protocol):
    """What a part is made of; see `partforms` and `parquet`."""

    suffix: str
    """Of a part's name, with its dot."""

    def convert(self, staged: Path, target: Path) -> None:
        """Write the bytes of a part, made of staged rows, and force them to the disk."""

    def cull(self, part: Path, cull: Cull, target: Path) -> int | None:
        """Write a part again without the rows that no longer count; gives how many are left, None where all count."""


class PartPlace(Protocol):
    """Where closed parts stand; see `partplaces`."""

    name: str
    """What the journal and messages call the place."""

    def open(self) -> None:
        """Make ready. Raises SinkError where parts cannot be put there."""

    def put(self, part: str, file: Path) -> int:
        """Move or copy a file there under a part's name, whole and durable; gives its length."""

    def sizes(self) -> Mapping[str, int]:
        """The parts that are there and their lengths."""

    def fetch(self, part: str, target: Path) -> None:
        """Copy a part to a file."""

    def remove(self, part: str) -> None:
        """Remove a part."""


class StagedParts:
    """Rows that become closed parts: a `store.FileStore`."""

    def __init__(self, place: PartPlace, form: PartForm, staging: Path, part_bytes: int) -> None:
        """`staging`: the file in the output folder that holds rows until they are `part_bytes`."""
        self.name = place.name
        self._place = place
        self._form = form
        self._part_bytes = part_bytes
        self._staging = AppendFile(staging)
        self._made = staging.with_name(f"{staging.name}.new")
        """Where a part is made before it is put in its place."""
        self._closed: dict[str, int] = {}
        self._number = 0
        self._is_in_part = False
        """What is staged stands in a part too, of which the journal does not tell yet."""
        self._replaced: list[str] = []

    def open(self) -> None:
        """Make both places ready."""
        self._place.open()
        self._staging.open()

    def recover(self, files: Mapping[str, int], swapped: Collection[str] = ()) -> None:
        """Keep the parts that the journal names, and of the staged rows those that it counts."""
        prefix = f"{self.name}/"
        self._closed = {name.removeprefix(prefix): size for name, size in files.items() if name.startswith(prefix)}
        found = self._place.sizes()
        for part, size in self._closed.items():
            if found.get(part) != size:
                raise SinkError(
                    f"{prefix}{part}: {_bytes(found.get(part))}, but {size} bytes were committed: it was changed by "
                    "hand; put it back, or start over with --fresh"
                )
        self._number = 1 + max(map(_number_of, self._closed), default=-1)
        for part in found.keys() - self._closed.keys():
            if self._is_ours(part):
                self._place.remove(part)
        disk.unlink(self._made)
        self._staging.recover(files)

    def is_empty(self) -> bool:
        """No part is there."""
        return not self._place.sizes()

    def write(self, rows: Sequence[bytes]) -> None:
        """Stage rows."""
        self._staging.write(rows)

    def commit(self) -> Mapping[str, int]:
        """Make the staged rows durable, as a part where they are enough; gives the parts and the staging file."""
        if not self._is_in_part and self._staged() >= self._part_bytes:
            self._close_part()
        return self._files()

    def finish(self) -> None:
        """Make a part of what is staged."""
        if not self._is_in_part and self._staged():
            self._close_part()

    def rewrite(self, cull: Cull) -> Rewritten:
        """Make parts with rows that no longer count anew, under new names. Called behind `finish`."""
        copy = self._made.with_name(f"{self._made.name}.old")
        try:
            for part in sorted(self._closed, key=_number_of, reverse=True):
                self._place.fetch(part, copy)
                left = self._form.cull(copy, cull, self._made)
                if left is not None:
                    self._replaced.append(part)
                    del self._closed[part]
                if left:
                    self._add_made()
        finally:
            disk.unlink(copy)
        return Rewritten(self._files())

    def settle(self) -> None:
        """What the journal counts in parts need not be staged any more, nor stand in the parts that were made anew."""
        if self._is_in_part:
            self._staging.recover({})
            self._is_in_part = False
        while self._replaced:
            self._place.remove(self._replaced.pop())

    def close(self) -> None:
        """Release the staging file; an empty one goes. May be called twice."""
        self._staging.close()
        path = self._staging.path
        if path.exists() and not path.stat().st_size:
            disk.unlink(path)

    def _is_ours(self, part: str) -> bool:
        """Whether a part that the journal does not name is one that was being made, or replaced, at the end."""
        return re.fullmatch(rf"part-\d{{5,}}{re.escape(self._form.suffix)}", part) is not None

    def _staged(self) -> int:
        return self._staging.commit()[self._staging.name]

    def _close_part(self) -> None:
        self._form.convert(self._staging.path, self._made)
        self._add_made()
        self._is_in_part = True

    def _add_made(self) -> None:
        part = f"part-{self._number:05}{self._form.suffix}"
        self._closed[part] = self._place.put(part, self._made)
        disk.unlink(self._made)
        self._number += 1

    def _files(self) -> Mapping[str, int]:
        closed = {f"{self.name}/{part}": size for part, size in self._closed.items()}
        return {**closed, self._staging.name: 0 if self._is_in_part else self._staged()}


def _bytes(size: int | None) -> str:
    return "is missing" if size is None else f"has {size} bytes"


def _number_of(part: str) -> int:
    """The number in a part's name.

    >>> _number_of("part-00012.jsonl.gz")
    12
    """
    return int(part.removeprefix("part-").partition(".")[0])
