"""What went wrong on the wire, as a fault: the one place where httpx's exceptions become kinds. Pure.

httpx.ConnectError                 connect
├── NameNotFound                   dns
├── ProxyFailed                    connect
└── TlsFailed                      tls
httpx.ConnectTimeout               connect
httpx.TimeoutException, others     timeout
httpx.RemoteProtocolError          protocol
└── BodyCut                        truncated
httpx.NetworkError                 protocol before the answer, truncated in its body
httpx.DecodingError                decode
httpx.UnsupportedProtocol          unsupported_scheme
"""

import socket
import ssl
from collections.abc import Iterator

import httpx

from scraper.records import FailureKind, Fault

CUT_CLUES = ("peer closed connection", "Server disconnected", "<StreamReset ")
"""How h11 and httpcore's HTTP/2 begin their message when a body ends too early (they have no class for it)."""


class NameNotFound(httpx.ConnectError):
    """The host name could not be resolved."""


class TlsFailed(httpx.ConnectError):
    """The TLS handshake failed, or the certificate is not trusted."""


class ProxyFailed(httpx.ConnectError):
    """The proxy, not the host, is to blame. The message names it without its credentials."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        """`wait_s`: seconds until it makes sense to try again, None where nobody can tell."""
        super().__init__(message)
        self.wait_s = wait_s


class BodyCut(httpx.RemoteProtocolError):
    """The body ended before its announced end."""


_ADVICE: dict[FailureKind, str] = {
    "dns": "check the spelling of the host, or try later",
    "connect": "the host may be down, or a firewall in the way; try later",
    "tls": "open it in a browser; for a host of your own set fetch.verify_tls = false",
    "timeout": "try later, or raise fetch.timeout",
    "protocol": "try later, or fetch.transport = {other!r}",
    "truncated": "try later",
    "decode": "the server sends what it does not announce; look at the page with curl -v",
}


def fault_of(exc: Exception, *, in_body: bool, wire: str = "pyreqwest") -> Fault:
    """The fault an exception of the wire stands for.

    `in_body`: the answer's head had come. `wire`: the one in use; where another may do better, it is named.
    """
    if isinstance(exc, ProxyFailed):
        return Fault("connect", str(exc), retry_after_s=exc.wait_s)
    kind = _kind(exc, in_body)
    other = "pyreqwest" if wire == "httpx" else "httpx"
    reason = _reason(exc)
    advice = _ADVICE.get(kind, "").format(other=other)
    return Fault(kind, f"{reason}: {advice}" if advice else reason)


def is_for_another_address(exc: httpx.ConnectError | httpx.ConnectTimeout) -> bool:
    """Whether a connection that failed may come about with another of the host's addresses."""
    return isinstance(exc, httpx.ConnectTimeout) or (not isinstance(exc, ProxyFailed) and _connect_kind(exc) != "tls")


def _reason(exc: Exception) -> str:
    if isinstance(exc, httpx.ConnectTimeout):
        return "no connection within fetch.connect_timeout"
    text = " ".join(str(exc).split())[:300].rstrip(".")
    if not text and isinstance(exc, httpx.NetworkError):
        return "the connection broke off"
    return text or type(exc).__name__


def _kind(exc: Exception, in_body: bool) -> FailureKind:
    if isinstance(exc, httpx.ConnectError):
        return _connect_kind(exc)
    is_cut = isinstance(exc, httpx.NetworkError) or str(exc).startswith(CUT_CLUES)
    if isinstance(exc, BodyCut) or (in_body and is_cut):
        return "truncated"
    return next((kind for error, kind in _KINDS if isinstance(exc, error)), "protocol")


_KINDS: list[tuple[type[Exception], FailureKind]] = [
    (httpx.ConnectTimeout, "connect"),
    (httpx.TimeoutException, "timeout"),
    (httpx.DecodingError, "decode"),
    (httpx.UnsupportedProtocol, "unsupported_scheme"),
]


def _connect_kind(exc: httpx.ConnectError) -> FailureKind:
    if isinstance(exc, NameNotFound) or any(isinstance(cause, socket.gaierror) for cause in _causes(exc)):
        return "dns"
    if isinstance(exc, TlsFailed) or any(isinstance(cause, ssl.SSLError) for cause in _causes(exc)):
        return "tls"
    return "connect"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """What an exception came from, nearest first; httpx wraps httpcore's, which wraps anyio's."""
    cause = exc.__cause__ or exc.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
