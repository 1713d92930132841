"""A server on loopback that speaks HTTP/2 to those who offer it, and says what a test tells it to."""

import asyncio
import ssl
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events


class H2Server:
    """Answers by the path: `/` a page, `/big` one in many frames, the rest as their names say."""

    BIG = bytes(range(256)) * 4096

    def __init__(self, tls: ssl.SSLContext) -> None:
        tls.set_alpn_protocols(["h2", "http/1.1"])
        self._tls = tls
        self.requests: list[dict[str, str]] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> "H2Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2", "no HTTP/2 was offered"
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()  # a close would wait for the other side's TLS to end

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        http.initiate_connection()
        unsent: dict[int, bytes] = {}
        while not writer.is_closing():
            writer.write(http.data_to_send())
            await writer.drain()
            if not (data := await reader.read(65536)):
                return
            for event in http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self._answer(http, event, unsent, writer)
            for stream_id in list(unsent):
                self._send_on(http, stream_id, unsent)

    def _answer(self, http: Any, event: Any, unsent: dict[int, bytes], writer: asyncio.StreamWriter) -> None:
        request = dict(event.headers)
        self.requests.append(request)
        stream_id, path = event.stream_id, request[":path"]
        headers = [(":status", "200"), ("content-type", "text/html")]
        if path == "/reset":
            http.send_headers(stream_id, [*headers, ("content-length", "9")])
            http.send_data(stream_id, b"hel")
            http.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
        elif path == "/refused":
            http.reset_stream(stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
        elif path == "/cut":
            http.send_headers(stream_id, headers)
            http.send_data(stream_id, b"hel")
            writer.write(http.data_to_send())
            writer.transport.close()
        elif path == "/short":
            http.send_headers(stream_id, [*headers, ("content-length", "9")])
            http.send_data(stream_id, b"hel", end_stream=True)
        elif path == "/headers":
            http.send_headers(stream_id, headers + [(f"x-{n}", "a" * 50) for n in range(10_000)], end_stream=True)
        elif path == "/stall":
            pass
        else:
            http.send_headers(stream_id, headers)
            unsent[stream_id] = self.BIG if path == "/big" else b"hi"

    def _send_on(self, http: Any, stream_id: int, unsent: dict[int, bytes]) -> None:
        body = unsent[stream_id]
        while body and (room := min(http.local_flow_control_window(stream_id), http.max_outbound_frame_size)):
            http.send_data(stream_id, body[:room], end_stream=room >= len(body))
            body = body[room:]
        unsent[stream_id] = body
        if not body:
            del unsent[stream_id]
