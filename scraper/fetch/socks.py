"""The messages of SOCKS 5 (RFC 1928) and of its login by user name and password (RFC 1929). Pure; tunnel.py talks."""

from ipaddress import ip_address

from scraper.fetch.address import literal

VERSION = 5
NO_LOGIN, BY_PASSWORD = 0, 2
"""Ways to log in."""

_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_REFUSALS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "kind of address not supported",
}


def greeting(has_login: bool) -> bytes:
    """The first message: the ways to log in that we offer."""
    return bytes([VERSION, 2, NO_LOGIN, BY_PASSWORD] if has_login else [VERSION, 1, NO_LOGIN])


def login(username: str, password: str) -> bytes:
    """User name and password, at most 255 bytes each."""
    user, secret = username.encode(), password.encode()
    return bytes([1, len(user), *user, len(secret), *secret])


def connect(host: str, port: int) -> bytes:
    """The request to connect to an address, or to a name that the proxy shall look up.

    >>> connect("127.0.0.1", 80).hex(" "), connect("a.b", 443).hex(" ")
    ('05 01 00 01 7f 00 00 01 00 50', '05 01 00 03 03 61 2e 62 01 bb')
    """
    if literal(host) is not None:
        packed = ip_address(host).packed
        target = bytes([_IPV4 if len(packed) == 4 else _IPV6]) + packed
    else:
        name = host.encode("ascii")
        target = bytes([_NAME, len(name)]) + name
    return bytes([VERSION, _CONNECT, 0]) + target + port.to_bytes(2, "big")


def rest_of_reply(start: bytes) -> int | None:
    """The number of bytes still to read of a reply that begins with these five; None for what is no reply.

    >>> rest_of_reply(bytes([5, 0, 0, 1, 127]))
    5
    """
    address_bytes = {_IPV4: 3, _IPV6: 15, _NAME: start[4]}.get(start[3])
    return None if start[0] != VERSION or address_bytes is None else address_bytes + 2


def refusal(code: int) -> str | None:
    """What a reply's code says, None for success."""
    return None if code == 0 else _REFUSALS.get(code, f"code {code}")
