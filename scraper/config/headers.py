"""Which header names and values a user may set. Pure."""

import re

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = {
    "host": "it follows from the URL",
    "content-length": "a GET has no body",
    "transfer-encoding": "a GET has no body",
    "connection": "connections are the scraper's business",
    "accept-encoding": "only what can be decoded safely is asked for",
    "user-agent": "use politeness.user_agent",
    "proxy-authorization": "put user:password@ into fetch.proxy, so that only the proxy gets it",
}


def check_header(name: str, value: str) -> None:
    """Raise ValueError for what RFC 9110 section 5 does not let through, and for headers that are not the user's."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no header name: use letters, digits and -")
    if name.lower() in _OWN_HEADERS:
        raise ValueError(f"{name} cannot be set: {_OWN_HEADERS[name.lower()]}")
    try:
        check_header_value(value)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def check_header_value(value: str) -> None:
    """Raise ValueError for what would not arrive as written, or would end the header early."""
    if not value.isascii() or not value.replace("\t", " ").isprintable():
        raise ValueError("a header takes printable ASCII on one line")
