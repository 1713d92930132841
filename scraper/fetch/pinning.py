"""URLs that lead to an address already judged, so that no second DNS answer can lead elsewhere (rebinding). Pure."""

from scraper.fetch.address import literal
from scraper.records import Job

MOST_ADDRESSES = 3
"""Addresses tried for one request; a host with all its addresses dead should not cost a whole deadline."""


def authority_of(href: str) -> str:
    """Host and port of a canonical URL, for the Host header.

    >>> authority_of("http://a.example:8080/x@y")
    'a.example:8080'
    """
    return href.partition("://")[2].partition("/")[0]


def urls_to_try(job: Job, addresses: tuple[str, ...], pins_https: bool = False) -> list[tuple[str, str]]:
    """(URL to connect to, its address) in turn, at least one.

    http to a name goes to the judged addresses themselves. https keeps its name, against which the certificate is
    checked: a wire that `pins_https` connects to the address nonetheless; for the others a host that was swapped after
    the judgement cannot show a certificate.
    """
    if not addresses or literal(job.host) is not None:
        return [(job.url, "")]
    if not job.url.startswith("http:"):
        return [(job.url, address) for address in addresses[:MOST_ADDRESSES]] if pins_https else [(job.url, "")]
    return [(pin(job.url, address), address) for address in addresses[:MOST_ADDRESSES]]


def pin(href: str, address: str) -> str:
    """The same http URL with an address in place of its host name.

    >>> pin("http://a.example:8080/x", "::1")
    'http://[::1]:8080/x'
    """
    scheme, _, rest = href.partition("://")
    authority, slash, path = rest.partition("/")
    _, colon, port = authority.partition(":")
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}{colon}{port}{slash}{path}"
