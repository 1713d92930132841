"""`scraper init`: writes a config file that works at once."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from scraper.cli.speak import tell
from scraper.errors import UsageError

FULL_HEADER = "# Every setting with its default and the reason for it, as `scraper init --full` writes them.\n\n"


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("scraper.toml"),
    full: Annotated[bool, typer.Option("--full", help="Write every setting with its default and its reason.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a config file to start from."""
    text = full_text() if full else starter_text(file)
    write_new(file, text, force)
    tell(f"wrote {file}; look at it, then: scraper check {file}")


def starter_text(file: Path) -> str:
    """Return the short config, its comments naming `file`."""
    return (files("scraper.cli") / "starter.toml").read_text(encoding="utf-8").replace("{file}", str(file))


def full_text() -> str:
    """Return the config with every key, as config/default.toml has it."""
    from scraper.config import Config, render_toml  # pydantic: not for --help

    return FULL_HEADER + render_toml(Config())


def write_new(file: Path, text: str, force: bool) -> None:
    """Write `text`, never over an existing file without `force`. Raises UsageError where it cannot be written."""
    try:
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        if file.is_dir():
            raise UsageError(f"{file}: is a directory: name a file in it") from None
        raise UsageError(f"{file}: exists already: name another file, or overwrite it with --force") from None
    except OSError as exc:
        raise UsageError(f"{file}: cannot be written: {exc.strerror}") from None
