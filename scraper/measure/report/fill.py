"""How well the fields of a run's rows are filled. Pure; one pass over the rows, in bounded memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from scraper.write.encode import ROW_KEYS

MOST_DISTINCT = 10_000
"""Different values that are counted of a field: 0.8 MB."""
MOST_FIELDS = 100
"""Fields that are looked at; functions of users may make any number."""
EXAMPLE_CHARS = 80
_json = msgspec.json.Encoder(decimal_format="number")
EMPTY: tuple[Any, ...] = (None, "", [], {})
"""What counts as no value; 0 and false are values."""


@dataclass(slots=True)
class FieldFill:
    """One field over all rows."""

    filled: int = 0
    """Rows with a value."""
    example: str = ""
    """The first value, cut; "" where there is none."""
    _hashes: set[int] = field(default_factory=set)

    @property
    def distinct(self) -> int:
        """Different values, MOST_DISTINCT at most."""
        return len(self._hashes)

    @property
    def has_more(self) -> bool:
        """There may be more different values than were counted."""
        return len(self._hashes) >= MOST_DISTINCT

    def add(self, value: Any) -> None:
        """Count a value that is none of EMPTY."""
        if not self.filled:
            self.example = example_of(value)
        self.filled += 1
        if len(self._hashes) < MOST_DISTINCT:
            # beside the 0, for bytes have the hash of the text they hold
            self._hashes.add(hash(value if isinstance(value, str) else (0, _json.encode(value))))


@dataclass(slots=True)
class Fill:
    """All fields over all rows."""

    rows: int = 0
    fields: dict[str, FieldFill] = field(default_factory=dict)
    """In the order in which the rows have them."""
    left_out: bool = False
    """There are more than MOST_FIELDS."""


def fill_of(rows: Iterable[Mapping[str, Any]], told: Iterable[str] = ()) -> Fill:
    """How well the fields of some rows are filled. `told`: fields that the config names, whether rows have them or not.

    >>> fill = fill_of([{"url": "u", "price": 0, "tags": []}, {"url": "v", "price": 5}], ["brand"])
    >>> {name: (field.filled, field.distinct, field.example) for name, field in fill.fields.items()}
    {'price': (2, 2, '0'), 'tags': (0, 0, ''), 'brand': (0, 0, '')}
    """
    fill = Fill()
    for row in rows:
        fill.rows += 1
        for name, value in row.items():
            if (found := _field(fill, name)) is not None and value not in EMPTY:
                found.add(value)
    for name in told:
        _field(fill, name)
    return fill


def example_of(value: Any) -> str:
    """A value as a short text.

    >>> example_of(["a", "b"]), example_of("x" * 100)[-3:]
    ('["a","b"]', 'xx…')
    """
    text = value if isinstance(value, str) else _json.encode(value).decode(errors="replace")
    return text if len(text) <= EXAMPLE_CHARS else f"{text[: EXAMPLE_CHARS - 1]}…"


def _field(fill: Fill, name: str) -> FieldFill | None:
    """None for a row's own keys, which every row has, and for what is beyond MOST_FIELDS."""
    if found := fill.fields.get(name):
        return found
    if name in ROW_KEYS:
        return None
    if len(fill.fields) >= MOST_FIELDS:
        fill.left_out = True
        return None
    return fill.fields.setdefault(name, FieldFill())
