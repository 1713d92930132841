"""Which addresses may be reached (RFC 6890 and the IANA special-purpose registries). Pure; resolver.py asks.

The danger: a page or a DNS answer that leads us to what only this machine can reach (its own services, the cloud's
metadata at 169.254.169.254, routers). The rule of `network.private_addresses`:

    allow    all addresses
    deny     public addresses only
    listed   public ones, and a private one where the input itself names it: the URL's own host is that IP literal, or
             `localhost`. A redirect to another such host, or a DNS name that resolves to one, is refused.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

Policy = Literal["listed", "deny", "allow"]

_V4: list[tuple[IPv4Network, str]] = [
    (IPv4Network(net), reason)
    for net, reason in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared with the provider (CGNAT)"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
_V6: list[tuple[IPv6Network, str]] = [
    (IPv6Network(net), reason)
    for net, reason in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "private"),
        ("100::/64", "discard"),
        ("2001:2::/48", "benchmarking"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "reserved"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
]
_EMBEDDING: list[tuple[IPv6Network, int]] = [
    (IPv6Network("::/96"), 0),  # IPv4-compatible, RFC 4291
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped, RFC 4291
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated, RFC 2765
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
]
"""Networks whose addresses carry an IPv4 address, and the number of bits behind it."""

_TEREDO = IPv6Network("2001::/32")


def judge(ip: str, listed: bool, policy: Policy) -> str | None:
    """Why this address may not be reached; None where it may. `listed`: the input names it itself.

    >>> judge("127.0.0.1", listed=False, policy="listed")
    'loopback'
    >>> judge("127.0.0.1", listed=True, policy="listed") is None
    True
    >>> judge("::ffff:169.254.169.254", listed=False, policy="listed")
    'link-local'
    """
    if policy == "allow" or (policy == "listed" and listed):
        return None
    return special_use(ip)


@lru_cache(maxsize=4096)
def special_use(ip: str) -> str | None:
    """What an address is set apart for, None for a public one. What is no address is `not an address`.

    An IPv6 address that carries an IPv4 one is what that one is: a gateway or the kernel would go there.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return "not an address"
    if isinstance(address, IPv4Address):
        return _special_v4(address)
    if address.scope_id is not None:
        return "bound to a network interface"
    return _special_v6(address)


def _special_v4(address: IPv4Address) -> str | None:
    return next((reason for net, reason in _V4 if address in net), None)


def _special_v6(address: IPv6Address) -> str | None:
    if reason := next((reason for net, reason in _V6 if address in net), None):
        return reason
    return next(filter(None, map(_special_v4, _embedded(address))), None)


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    found = [IPv4Address(int(address) >> bits & 0xFFFFFFFF) for net, bits in _EMBEDDING if address in net]
    if address in _TEREDO:  # RFC 4380: server, and the client's address with all bits turned
        found += [IPv4Address(int(address) >> 64 & 0xFFFFFFFF), IPv4Address(~int(address) & 0xFFFFFFFF)]
    return found


@lru_cache(maxsize=4096)
def literal(host: str) -> str | None:
    """The address that a host of a URL is, without brackets; None for a name.

    >>> literal("[::1]"), literal("127.0.0.1"), literal("localhost")
    ('::1', '127.0.0.1', None)
    """
    bare = host[1:-1] if host.startswith("[") else host
    if ":" not in bare and not bare[-1:].isdigit():
        return None  # WHATWG: a host that ends in a number is an IPv4 address or no host
    try:
        ip_address(bare)
    except ValueError:
        return None
    return bare


@lru_cache(maxsize=4096)
def reachable_literal(host: str, listed: bool, policy: Policy) -> tuple[str, ...]:
    """The address that a host of a URL is, where it may be reached; else none, as for a name. See `judge`."""
    address = literal(host)
    return () if address is None or judge(address, listed, policy) else (address,)


def is_localhost(host: str) -> bool:
    """Whether a name is loopback by definition (RFC 6761 section 6.3)."""
    name = host.removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


@lru_cache(maxsize=4096)
def names_address(host: str) -> bool:
    """Whether a host as written says where it leads, so that a private one was surely meant."""
    return is_localhost(host) or literal(host) is not None
