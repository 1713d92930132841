"""The answer as httpx sees it, its headers left with pyreqwest until somebody asks for one. Pure."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import httpx
from pyreqwest.http import HeaderMap


class WireHeaders(httpx.Headers):
    """The headers of one answer, to be read only.

    `httpx.Headers` would turn all of them into bytes and back for the three or four that a page is asked for. A name of
    which a value is not ASCII reads as missing: pyreqwest cannot give it.
    """

    def __init__(self, lines: HeaderMap) -> None:
        """Take the headers over from pyreqwest, whose names are in lower case."""
        self._lines = lines
        self._encoding = "ascii"

    def get(self, key: str, default: Any = None) -> Any:
        """All values of a name, joined by commas (RFC 9110 section 5.3)."""
        values = self._values(key.lower())
        return ", ".join(values) if values else default

    def get_list(self, key: str, split_commas: bool = False) -> list[str]:
        """All values of a name in order. Of Set-Cookie, whose lines stand each for itself, only the unreadable miss."""
        values = self._values(key.lower())
        if not values and key.lower() == "set-cookie":
            values = [value for name, value in self._readable_lines() if name == "set-cookie"]
        return [part.strip() for value in values for part in value.split(",")] if split_commas else values

    def is_unreadable(self, name: str) -> bool:
        """Whether a header of this name, in lower case, came and is not ASCII."""
        return name in self._lines and not self._values(name)

    def _values(self, name: str) -> list[str]:
        try:
            return self._lines.getall(name)
        except ValueError:
            return []

    @property
    def readable_lines(self) -> list[tuple[str, str]]:
        """All lines whose value is ASCII, as (name, value), in the order in which they came."""
        return list(self._readable_lines())

    def _readable_lines(self) -> Iterator[tuple[str, str]]:
        lines = iter(self._lines.items())
        while True:
            try:
                yield next(lines)
            except StopIteration:
                return
            except ValueError:  # this line; the next ones come all the same
                continue

    @cached_property
    def _list(self) -> list[tuple[bytes, bytes, bytes]]:  # type: ignore[override]  # httpx's own store, made when needed
        names = [name.encode() for name in dict.fromkeys(self._lines)]
        return [(name, name, value.encode()) for name in names for value in self._values(name.decode())]


class StreamedResponse(httpx.Response):
    """An answer whose body is still to be read from the wire."""

    def __init__(self, status: int, headers: WireHeaders, stream: httpx.AsyncByteStream, version: str) -> None:
        """The headers are taken as they are; httpx would copy them. `version`: as "HTTP/1.1"."""
        super().__init__(status, stream=stream)
        self.headers = headers
        self.extensions = {"http_version": version.encode()}

    async def aclose(self) -> None:
        """Leave the body where it was read to; httpx's own way to the same takes thrice as long."""
        if not self.is_closed:
            self.is_closed = True
            await self.stream.aclose()  # type: ignore[union-attr]  # an AsyncByteStream, by the constructor
