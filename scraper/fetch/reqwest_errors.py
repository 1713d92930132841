"""pyreqwest's exceptions as httpx's: the one place where they are told apart. Pure.

Its classes follow reqwest's and are too coarse for us: a body that ended early is a BodyDecodeError, a ReadError or a
plain RequestError. So the chain of causes is read first, and the class only decides the rest.
The texts are those of hyper 1 and rustls, as pyreqwest 0.15 hands them on.
"""

import httpx
from pyreqwest import exceptions as rq

from scraper.fetch.faults import BodyCut, NameNotFound, TlsFailed

HEAD_TOO_LARGE = "message head is too large"
"""hyper's words for more than 100 header lines, too, a limit that pyreqwest cannot raise."""

_BY_CAUSE: list[tuple[type[httpx.TransportError], tuple[str, ...]]] = [
    (NameNotFound, ("dns error",)),
    (TlsFailed, ("certificate", "tls handshake", "received fatal alert", "corrupt message")),
    (
        BodyCut,
        (
            "end of file before message length reached",
            "unexpected end of file",
            "unexpected EOF",
            "stream did not finish",
            "unexpected EOF during chunk",
        ),
    ),
]
_BROKEN_OFF = ("(os error", "stream error received", "connection error received", "stream closed because of")
"""How a body's last cause tells that the other side left, not that it broke the rules; but the first, of HTTP/2."""

_BY_CLASS: list[tuple[type[rq.PyreqwestError], type[httpx.RequestError]]] = [
    (rq.ConnectError, httpx.ConnectError),
    (rq.DecodeError, httpx.RemoteProtocolError),
    (rq.NetworkError, httpx.ReadError),
    (rq.BuilderError, httpx.LocalProtocolError),
]


def as_httpx(exc: rq.PyreqwestError) -> httpx.RequestError:
    """The httpx exception that says the same; to be raised `from exc`."""
    causes = _causes(exc)
    reason = causes[-1] if causes else exc.message
    return _class_for(exc, causes)(reason)


def _class_for(exc: rq.PyreqwestError, causes: list[str]) -> type[httpx.RequestError]:
    for error, clues in _BY_CAUSE:
        if any(clue in cause for cause in causes for clue in clues):
            return error
    if isinstance(exc, rq.RequestTimeoutError):  # also a ConnectTimeoutError while the head is awaited
        return httpx.ConnectTimeout if "client error (Connect)" in causes else httpx.ReadTimeout
    if "client error (SendRequest)" in causes:  # connected, and then no answer: a ConnectError to reqwest
        return httpx.RemoteProtocolError
    if "error reading a body from connection" in causes:  # whatever the class: it is also a BodyDecodeError
        is_broken_off = any(clue in causes[-1] for clue in _BROKEN_OFF)
        return httpx.ReadError if is_broken_off else httpx.RemoteProtocolError
    return next((error for source, error in _BY_CLASS if isinstance(exc, source)), httpx.RemoteProtocolError)


def _causes(exc: rq.PyreqwestError) -> list[str]:
    """Messages, outermost first; empty where pyreqwest has none."""
    if not isinstance(exc, rq.DetailedPyreqwestError):
        return []
    return [cause["message"] for cause in exc.details["causes"] or ()]
