"""Sets keys in the text of a TOML file, each with its reason above it, and leaves all else as it stands. Pure.

tomlkit finds the place of a key, however it is spelled, and keeps every byte it does not change; tomledit (the parser
of Rust's toml_edit), the other choice, turns CRLF into LF. A key that is new tomlkit puts below the comments at the
section's end, and a section above a subsection's comments: those speak of what follows. Here the key goes up to the
others, and the section to the end of the file.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from scraper.errors import ConfigError

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Setting:
    """A key to set, and why."""

    section: str
    key: str
    value: int | str
    reason: str
    """On one line, beginning with the value; it follows the key's name."""

    @property
    def name(self) -> str:
        """The key's full path."""
        return f"{self.section}.{self.key}"

    @property
    def toml(self) -> str:
        """The value as TOML has it; the texts are words and sizes, which need no escapes but these."""
        if isinstance(self.value, int):
            return str(self.value)
        return '"' + self.value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def with_settings(text: str, settings: Sequence[Setting], *, by: str, on: str) -> str:
    """The text with the keys set and a comment above each; the one that `by` wrote there earlier is replaced.

    Sections that are not there follow at the end. Raises ConfigError for what is no TOML, and for a key that cannot be
    set without touching anything else.

    >>> few = Setting("fetch", "concurrency", 64, "64 gave 912 pages/s")
    >>> print(with_settings("[fetch]\\nconcurrency = 8 # few\\n", [few], by="scraper tune", on="2026-11-22"), end="")
    [fetch]
    # scraper tune, 2026-11-22: concurrency 64 gave 912 pages/s
    concurrency = 64 # few
    """
    mark, body = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    is_crlf = "\n" in body and body.count("\n") == body.count("\r\n")
    plain = body.replace("\r\n", "\n") if is_crlf else body
    for setting in settings:
        plain = _with_setting(plain, setting, by, on)
    return mark + (plain.replace("\n", "\r\n") if is_crlf else plain)


def _with_setting(text: str, setting: Setting, by: str, on: str) -> str:
    wanted, word = _expected(text, setting), _free_word(text)
    lines = _placed(text, setting, word)
    at = next((index for index, line in enumerate(lines) if word in line), None)
    if at is None or _lost(text.split("\n"), lines) > 1:
        raise _unclear(setting)
    if _is_own_line(lines[at], setting) and not _holds(text, setting):
        at = _move_up(lines, at, setting.key)
    lines[at] = lines[at].replace(f'"{word}"', setting.toml)
    _explain(lines, at, setting, by, on)
    result = "\n".join(lines)
    if _read(result) != wanted:
        raise _unclear(setting)
    return result


def _expected(text: str, setting: Setting) -> dict[str, Any]:
    """What the result must be read as."""
    document = _read(text)
    section = document.setdefault(setting.section, {})
    if not isinstance(section, dict):
        raise ConfigError(f"{setting.section}: is a value, not a table: make it a section [{setting.section}]")
    section[setting.key] = setting.value
    return document


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"not TOML: {exc}") from None


def _holds(text: str, setting: Setting) -> bool:
    return setting.key in _read(text).get(setting.section, {})


def _free_word(text: str) -> str:
    """A word that the text does not hold: by it the line of a key is known."""
    word = "to-be-set"
    while word in text:
        word += "-"
    return word


def _placed(text: str, setting: Setting, word: str) -> list[str]:
    """The lines of the text with the key set to a word."""
    import tomlkit  # 40 ms, and only a command that edits has a use for it
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(text)
        if setting.section not in document:
            return _at_end(text, setting, word)
        document[setting.section][setting.key] = word
        lines = str(document.as_string()).split("\n")
    except TOMLKitError as exc:
        raise _unclear(setting) from exc
    made = f"[{setting.section}]"
    return _at_end(text, setting, word) if made in lines and made not in text.split("\n") else lines


def _at_end(text: str, setting: Setting, word: str) -> list[str]:
    before = text.removesuffix("\n").split("\n") if text else []
    gap = [""] if before and before[-1].strip() else []
    return [*before, *gap, f"[{setting.section}]", f'{setting.key} = "{word}"', ""]


def _lost(old: list[str], new: list[str]) -> int:
    """How many of the old lines, up to the last one that differs, are not there as they were."""
    before = _same(old, new)
    return len(old) - before - _same(old[before:][::-1], new[before:][::-1])


def _same(some: list[str], others: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False)))


def _is_own_line(line: str, setting: Setting) -> bool:
    """Whether the key stands on a line of its own, not in a table that is written on one."""
    return re.match(rf"\s*({setting.section}\.)?{setting.key}\s*=", line) is not None


def _move_up(lines: list[str], at: int, key: str) -> int:
    """Move a new key up to its section's others, or to where it stands as a comment; gives its line."""
    commented = re.compile(rf"\s*#\s*{key}\s*=")
    line, to = lines.pop(at), at
    while to and not commented.match(lines[to - 1]) and (_is_comment(lines[to - 1]) or not lines[to - 1].strip()):
        to -= 1
    lines.insert(to, line)
    return to


def _explain(lines: list[str], at: int, setting: Setting, by: str, on: str) -> None:
    """Put the reason above a line, in the place of the one that stands there."""
    earlier = re.compile(rf"\s*# {re.escape(by)}, \S+: {re.escape(setting.key)} ")
    above = list(takewhile(_is_comment, reversed(lines[:at])))[::-1]
    kept = [line for line in above if not earlier.match(line)]
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at - len(above) : at] = [*kept, f"{indent}# {by}, {on}: {setting.key} {setting.reason}"]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _unclear(setting: Setting) -> ConfigError:
    return ConfigError(
        f"{setting.name}: its place in the file is not clear: "
        f"write {setting.key} = {setting.toml} into the section [{setting.section}] by hand"
    )
