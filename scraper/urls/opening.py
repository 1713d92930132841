"""What kind of file a path leads to, and what is said where it cannot be read."""

import os
import stat

from scraper import weburl
from scraper.errors import SourceError
from scraper.urls.formats import LIST_SUFFIXES


def mode_of(path: str) -> int:
    """The file's mode, as `stat` has it. Raises SourceError where there is none, or a directory."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as exc:
        raise unreadable(path, exc) from exc
    if stat.S_ISDIR(mode):
        raise SourceError(f"{path} is a directory: give a list in it, such as {os.path.join(path, 'urls.txt')}")
    return mode


def unreadable(path: str, exc: OSError | ValueError) -> SourceError:
    """The SourceError for what a file was answered with."""
    if isinstance(exc, FileNotFoundError):
        return SourceError(f"no such file: {path}{_hint_of_page(path)}")
    if isinstance(exc, PermissionError):
        return SourceError(f"{path} may not be read: permission denied")
    return SourceError(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}")


def _hint_of_page(path: str) -> str:
    rest = None if path.startswith((".", "/")) or path.endswith(LIST_SUFFIXES) else weburl.missing_scheme(path)
    return f"; for a web page write https://{rest}" if rest else ""
