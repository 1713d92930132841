"""Which lane of the frontier a host's jobs stand in, where many names on one address count as one host. Pure.

The names are looked up elsewhere. Until that is done a host has a lane of its own, and its jobs wait there.
"""

from collections.abc import Sequence

MOST_HOSTS = 50_000
"""Hosts remembered, some 0.2 KB each; beyond, the one learnt first is looked up again when it comes."""


class Lanes:
    """The addresses of hosts, as far as they are known.

    >>> lanes = Lanes()
    >>> lanes.of("a.example"), lanes.knows("a.example")
    ('a.example', False)
    >>> lanes.learn("a.example", ["192.0.2.7", "192.0.2.5"])
    >>> lanes.of("a.example"), lanes.knows("a.example")
    ('192.0.2.5', True)
    """

    def __init__(self) -> None:
        """No host is known."""
        self._addresses: dict[str, str] = {}

    def of(self, host: str) -> str:
        """The lane of a host: its address, and its name while that is not known."""
        return self._addresses.get(host, host)

    def knows(self, host: str) -> bool:
        """Whether the host was looked up."""
        return host in self._addresses

    def learn(self, host: str, addresses: Sequence[str]) -> None:
        """Note where a host is; one without an address keeps a lane of its own.

        Of several addresses the least as text counts: DNS servers turn their order from answer to answer.
        """
        self._addresses.pop(host, None)
        if len(self._addresses) >= MOST_HOSTS:
            del self._addresses[next(iter(self._addresses))]
        self._addresses[host] = min(addresses, default=host)
