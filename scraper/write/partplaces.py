"""Where closed parts stand: a folder of this machine, or a URL that fsspec knows (extra `remote`, `s3` for S3)."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scraper import disk
from scraper.errors import ConfigError, ScraperError, SinkError, WriteError
from scraper.write.partforms import copy_durably

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

EXTRA_HINT = (
    "write.path: a URL needs the extra remote (s3:// the extra s3); install it with: pip install 'hybrid-scraper[s3]'"
)


class FolderPlace:
    """A folder that readers of datasets take for one table; a `staged.PartPlace`."""

    def __init__(self, folder: Path, name: str) -> None:
        """`name`: what the journal calls it."""
        self.name = name
        self._folder = folder

    def open(self) -> None:
        """Make the folder."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise SinkError(f"{self._folder}: cannot be made: {exc.strerror}; it must be a folder") from exc

    def put(self, part: str, file: Path) -> int:
        """Give the file its name here; across file systems it is copied first."""
        size = file.stat().st_size
        target = self._folder / part
        if os.stat(file).st_dev != os.stat(self._folder).st_dev:
            with open(file, "rb") as source:
                copy_durably(source, self._folder / f".{part}")
            file = self._folder / f".{part}"
        disk.replace(file, target)
        disk.sync_folder(self._folder)
        return size

    def sizes(self) -> Mapping[str, int]:
        """The parts; other files in the folder are somebody's."""
        return {path.name: path.stat().st_size for path in self._folder.glob("part-*.*")}

    def fetch(self, part: str, target: Path) -> None:
        """Copy a part."""
        shutil.copy(self._folder / part, target)

    def remove(self, part: str) -> None:
        """Remove a part."""
        disk.unlink(self._folder / part)


def _require_extra(url: str) -> None:
    try:
        from fsspec import get_filesystem_class

        with suppress(ValueError):  # one that fsspec does not know: told when it is opened
            get_filesystem_class(url.partition("://")[0].partition("::")[0])
    except ImportError as exc:
        raise ConfigError(f"{EXTRA_HINT} ({' '.join(str(exc).split())})") from exc


class RemotePlace:
    """Objects under a URL; a `staged.PartPlace`. An object is there whole or not at all."""

    def __init__(self, url: str, shown: str) -> None:
        """`url` may hold secrets; `shown` is what the journal and messages say in its place.

        Raises ConfigError where a package is missing that its scheme needs.
        """
        _require_extra(url)
        self.name = shown.rstrip("/")
        self._url = url
        self._found: tuple[AbstractFileSystem, str] | None = None

    def open(self) -> None:
        """Connect. Raises ConfigError where a package is missing, SinkError where the place cannot be reached."""
        from fsspec.core import url_to_fs

        with self._errors_as(SinkError, "cannot be reached"):
            try:
                files, root = url_to_fs(self._url)
            except ImportError as exc:
                raise ConfigError(f"{EXTRA_HINT} ({' '.join(str(exc).split())})") from exc
            except ValueError as exc:
                raise SinkError(f"{self.name}: no URL that fsspec knows: {exc}") from exc
        self._found = files, root.rstrip("/")
        with self._errors_as(SinkError, "cannot be reached"):
            if "file" in files.protocol:
                files.makedirs(self._found[1], exist_ok=True)
            self.sizes()

    @property
    def _files(self) -> "AbstractFileSystem":
        if self._found is None:
            raise RuntimeError(f"{self.name} is not open")
        return self._found[0]

    def _path(self, part: str) -> str:
        if self._found is None:
            raise RuntimeError(f"{self.name} is not open")
        return f"{self._found[1]}/{part}"

    def put(self, part: str, file: Path) -> int:
        """Upload the file and see that all of it came."""
        size = file.stat().st_size
        with self._errors_as(WriteError, "cannot be written"):
            disk.step("remote.put")
            self._files.put_file(str(file), self._path(part))
            self._files.invalidate_cache()
            stored = self._files.info(self._path(part))["size"]
        if stored != size:
            raise WriteError(
                f"{self.name}/{part}: {stored} of {size} bytes came; give the same command again to resume"
            )
        return size

    def sizes(self) -> Mapping[str, int]:
        """The parts under the URL; other objects are somebody's."""
        with self._errors_as(SinkError, "cannot be read"):
            self._files.invalidate_cache()
            try:
                found: list[dict[str, Any]] = self._files.ls(self._path("").rstrip("/"), detail=True)
            except FileNotFoundError:  # a bucket knows no empty folders
                return {}
        names = {str(entry["name"]).rpartition("/")[2]: int(entry["size"] or 0) for entry in found}
        return {name: size for name, size in names.items() if name.startswith("part-")}

    def fetch(self, part: str, target: Path) -> None:
        """Download a part."""
        with self._errors_as(WriteError, "cannot be read"):
            self._files.get_file(self._path(part), str(target))

    def remove(self, part: str) -> None:
        """Remove a part."""
        with self._errors_as(WriteError, "cannot be changed"):
            disk.step("remote.remove")
            self._files.rm_file(self._path(part))

    @contextmanager
    def _errors_as(self, kind: type[ScraperError], what: str) -> Iterator[None]:
        """The one place where the errors of stores become ours: each has its own, none has our advice."""
        try:
            yield
        except ScraperError:
            raise
        except Exception as exc:  # a border: s3fs, gcsfs and others raise what their libraries raise
            said = " ".join(str(exc).split()).replace(self._url, self.name)
            advice = "mend the cause and give the same command again"
            raise kind(f"{self.name}: {what}: {type(exc).__name__}: {said[:200]}; {advice}") from exc
