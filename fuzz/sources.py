"""Lists of URLs: any bytes are records, the same however they come cut, or refused with one SourceError."""

from fuzz.shaping import bounded, cut, grown
from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls.canonical import identify
from scraper.urls.formats import FORMATS, ListReader

SEEDS = (
    b"\0\0\3# x\nhttp://a.example/\r\n\r\nhttp://b.example/\rhttp://c.example",
    b'\0\1\5id,url\n7,http://a.example/\n8,"http://b.example/\n"\n',
    b'\0\1\2url;"a""b"\n1;"2',
    b"\0\2\1url\tb\nx\ty\tz\n",
    b'\0\3\4{"url": "http://a.example/", "n": 1}\n{"url": 1}\n[\n{"a": null}\n',
    b"\0\0\7\xff\xfeh\0t\0t\0p\0",
    b"\0\0\2\x1f\x8b\x08\0\0\0\0\0\0\3\xcb()\xb0\xd2\xd7\xd7K\xd4K\xadH\xcc-\xc8I\xd5\xd7\xe7\x02\0\x9c\xc0\xbe\xb5\x13\0\0\0",
    b"\0\0\1\xef\xbb\xbfhttp://a.example/",
    b"\0\0\1%PDF-1.7",
    b'\xff\1\x40"',
    b"\xff\1\x40,\n",
    b"\xff\3\x40[",
    b"\xff\0\x40\r",
)


def check(data: bytes) -> None:
    """`data`: see `grown`; the second byte chooses the form, the third the size of the pieces; then comes the list."""
    if len(data) < 3:
        return
    form = FORMATS[data[1] % len(FORMATS)]
    content = grown(data[:1] + data[3:])
    with bounded():
        whole = _read(form, [content])
        pieces = _read(form, cut(content, 1 + (data[2] + 2) * len(content) // 512))
    # Of a damaged gzip up to a piece before the damage is lost, as unpack.py says: how much depends on the pieces.
    is_damaged = bool(whole) and "gzip data is damaged" in (whole[-1].error or "")
    assert is_damaged or whole == pieces, "the same list, cut otherwise, gives other records"
    numbers = [record.line for record in whole]
    assert all(number is not None and number >= 1 for number in numbers)
    assert numbers == sorted(numbers, key=lambda number: number or 0)
    for record in whole[:20]:
        identify(record)


def _read(form: str, pieces: list[bytes]) -> list[SourceLine]:
    """All records, none where the list is refused: how many came before depends on the pieces."""
    reader = ListReader("list", form)  # type: ignore[arg-type]
    records: list[SourceLine] = []
    try:
        for piece in pieces:
            records += [record for batch in reader.feed(piece) for record in batch]
        records += [record for batch in reader.finish() for record in batch]
    except SourceError:
        return []
    return records
