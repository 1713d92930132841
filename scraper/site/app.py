"""The ASGI shell of the practice site: read the request, wait, ask answers.py, send. Decides nothing about content."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from scraper.site.answers import Answer, Site, not_allowed

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HOST = re.compile(r"[0-9A-Za-z.\-:\[\]]{1,255}")


class SiteApp:
    """The site as an ASGI application for one event loop. Serves HTTP only; start the server without lifespan."""

    def __init__(self, site: Site) -> None:
        """Answers for `site`, which no other app may share."""
        self._site = site

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, query, base = scope["path"], scope["query_string"].decode("latin-1"), _base_of(scope)
        plan = self._site.plan(path)
        if plan.delay_s:
            await asyncio.sleep(plan.delay_s)
        if scope["method"] not in ("GET", "HEAD"):
            await _send_whole(not_allowed(base), send)
            return
        answer = self._site.answer(plan, path, query, base)
        if not isinstance(answer.body, bytes):
            await _send_pieces(answer, send)
        elif answer.cut:
            await _send_half(answer, send)
        else:
            await _send_whole(answer, send)


def _base_of(scope: Message) -> str:
    """Scheme and host as the client named them; a Host header unfit for HTML gives the server's own name."""
    for name, value in scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1")
            if _HOST.fullmatch(host):
                return f"http://{host}"
    return "http://localhost"


async def _send_whole(answer: Answer, send: Send) -> None:
    body = answer.body
    assert isinstance(body, bytes)
    await send(_start(answer, len(body)))
    await send({"type": "http.response.body", "body": body})


async def _send_half(answer: Answer, send: Send) -> None:
    """Returning before the promised length is sent makes the server close the connection."""
    body = answer.body
    assert isinstance(body, bytes)
    await send(_start(answer, len(body)))
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _send_pieces(answer: Answer, send: Send) -> None:
    await send(_start(answer, None))
    for piece in answer.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)  # a long list must not keep the other connections waiting
    await send({"type": "http.response.body", "body": b""})


def _start(answer: Answer, length: int | None) -> Message:
    headers = [(b"content-type", answer.content_type), *answer.headers]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}
