"""Where the words of a command go: talk to standard error, data to standard output. Nothing else writes there."""

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import typer

from scraper.errors import WriteError

if TYPE_CHECKING:
    from rich.console import RenderableType


_above: list[Callable[[str], None]] = []


def tell(line: str) -> None:
    """Say a line to the user. A standard error that is closed or full ends nothing: the work matters more."""
    with suppress(OSError, ValueError):
        if _above:
            _above[-1](line)
        else:
            typer.echo(line, err=True)


@contextmanager
def told_above(show: Callable[[str], None]) -> Iterator[None]:
    """In the block `tell` speaks through `show`: a picture that is redrawn would overwrite what is said beside it."""
    _above.append(show)
    try:
        yield
    finally:
        _above.pop()


def give(text: str) -> None:
    """Put data out, whole. Raises WriteError where it cannot be written, BrokenPipeError where the reader has left."""
    if sys.stdout is None:
        raise WriteError("standard output is closed: the answer is lost")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise WriteError(f"standard output cannot be written: {exc.strerror}") from exc


def drawn(*things: "RenderableType") -> str:
    """What rich makes of some things, for standard output as it is: its width, and colours where it is a terminal."""
    from rich.console import Console  # slow to import, and most commands draw nothing

    real, drawing = Console(), io.StringIO()
    console = Console(file=drawing, force_terminal=real.is_terminal, width=real.width)
    for thing in things:
        console.print(thing)
    return drawing.getvalue()


def hold_standard_files() -> None:
    """Open what the caller closed (`2>&-`), so that no output file gets its number and a stray message into it.

    What an encoding has no letters for is escaped, as JSON has it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    codecs.register_error("scraper.escape", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="scraper.escape")


def _escaped(exc: UnicodeError) -> tuple[str, int]:
    if not isinstance(exc, UnicodeEncodeError):
        raise exc
    units = exc.object[exc.start : exc.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), exc.end
