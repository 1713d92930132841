"""A config file as a command changes it: read before, replaced as a whole after. What changes is config/edit.py's."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path

from scraper import disk
from scraper.config.edit import Setting, with_settings
from scraper.errors import ConfigError, SinkError, WriteError

ANY_MAY_WRITE = 0o222


def refuse_unwritable(file: Path) -> None:
    """Raise SinkError where the file could not be replaced: before a user waits minutes for it."""
    place = file.resolve()
    is_there = place.exists()
    if is_there and not (os.access(place, os.W_OK) and place.stat().st_mode & ANY_MAY_WRITE):  # root may write anything
        raise SinkError(f"{file}: is read-only: make it writable, or see the change with --dry-run")
    if not place.parent.is_dir():
        raise SinkError(f"{file}: there is no folder {place.parent}: make it first")
    if not os.access(place.parent, os.W_OK):
        raise SinkError(f"{file}: {place.parent} is read-only: make it writable, or see the change with --dry-run")


def read_text(file: Path) -> str:
    """The file's text, byte for byte; "" where there is none. It was loaded before, so it can be read."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""


def changed_text(file: Path, settings: Sequence[Setting], *, by: str, on: str) -> str:
    """The file's text with the settings. Raises ConfigError naming the file where one cannot be set."""
    try:
        return with_settings(read_text(file), settings, by=by, on=on)
    except ConfigError as exc:
        raise ConfigError(f"{file}: {exc}") from None


def replace_text(file: Path, text: str) -> None:
    """Put the text in the file's place, with its permissions; whoever looks sees the old one or the new one whole.

    Raises WriteError where that cannot be done; then the file is as it was.
    """
    place = file.resolve()  # where a link leads: the link stays
    part = place.with_name(f"{place.name}.part")
    try:
        with part.open("wb", buffering=0) as out:
            disk.write_all(out, text.encode("utf-8"))
            disk.sync(out)
        with suppress(FileNotFoundError):
            shutil.copymode(place, part)
        disk.replace(part, place)
    except OSError as exc:
        with suppress(OSError):
            disk.unlink(part)
        raise WriteError(f"{file}: cannot be written: {exc.strerror}") from exc


def difference(file: Path, text: str) -> list[str]:
    """What changes in the file, as lines of a unified diff; [] for nothing."""
    before, after = (one.splitlines() for one in (read_text(file), text))
    return list(unified_diff(before, after, str(file), f"{file} (tuned)", lineterm="", n=2))
