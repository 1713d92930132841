"""What `fetch.proxy` may hold, read into records. Pure; scraper/fetch connects."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args
from urllib.parse import unquote

from scraper.config.secrets import expand, is_reference

ProxyScheme = Literal["http", "https", "socks5", "socks5h"]

_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})/?", re.ASCII)
_EXPECTED = 'expected "http://host:port", with user:password@ before the host where the proxy wants it'
_MOST_BYTES = 255
"""RFC 1929: user name and password are counted in one byte each."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy. Its text form is safe to show."""

    scheme: ProxyScheme
    host: str
    """No brackets around IPv6."""
    port: int
    username: str | None = field(default=None, repr=False)
    """None where the proxy asks for nobody's name."""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the proxy without its credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def resolves_names(self) -> bool:
        """Whether the proxy looks up host names itself; to socks5 alone we can give the address that was judged.

        RFC 9112 section 3.2.2 has a proxy replace Host by what the request line names, so that plain http cannot go
        to an address and keep its host name.
        """
        return self.scheme != "socks5"


def read_proxy(text: str, environ: Mapping[str, str]) -> Proxy:
    """Return the proxy that `text` means. Raises ValueError; the message holds nothing of the text's credentials.

    User name and password are percent-decoded; what comes from the environment is taken as it is.

    >>> str(read_proxy("http://joe:$PASS@proxy.example:3128", {"PASS": "s/cr@t"}))
    'http://proxy.example:3128'
    """
    if is_reference(text):
        return _read(expand(text, environ), unquote)
    return _read(text, lambda part: expand(unquote(part), environ))


def masked_proxy(text: str) -> str:
    """Return `text`, a proxy or what should have been one, with stars for all that may be a secret.

    >>> masked_proxy("http://joe:a/b@c@proxy.example:3128"), masked_proxy("joe:pw@proxy")
    ('http://***@proxy.example:3128', '***@proxy')
    """
    return re.sub(r"\A([^@]*?://)?.*@", r"\1***@", text, flags=re.DOTALL)


def _read(text: str, decode: Callable[[str], str]) -> Proxy:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in get_args(ProxyScheme):
        raise ValueError(f"{_EXPECTED}; https://, socks5:// and socks5h:// are taken too")
    userinfo, at, authority = rest.rpartition("@")
    match = _HOST_AND_PORT.fullmatch(authority)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(_EXPECTED)
    username, _, password = userinfo.partition(":")
    credentials = decode(username), decode(password)
    if any(len(value.encode()) > _MOST_BYTES for value in credentials):
        raise ValueError(f"user name and password may have {_MOST_BYTES} bytes each")
    name = credentials[0] if at else None
    return Proxy(cast(ProxyScheme, scheme), match[1].strip("[]"), int(match[2]), name, credentials[1])
