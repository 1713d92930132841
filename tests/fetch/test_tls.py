"""Whom we trust over TLS, who we say we are, and where we connect: on both wires, against servers on loopback."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from scraper.config import FetchConfig
from scraper.errors import ConfigError
from scraper.fetch.body import Unbounded
from scraper.fetch.client import Client
from scraper.fetch.tls import check_tls
from scraper.records import Fault, Job, Page

MakeJob = Callable[..., Job]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"


class ShownBy:
    """A reply that notes the client certificate it was asked with."""

    def __init__(self) -> None:
        self.names: list[object] = []

    async def __call__(self, writer: Any) -> None:
        certificate = writer.get_extra_info("ssl_object").getpeercert()
        self.names.append((certificate or {}).get("subjectAltName"))
        writer.write(OK)
        await writer.drain()


async def test_an_authority_of_ones_own_is_trusted(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob, authority: Any
) -> None:
    server = await serve(OK, tls=authority.server("127.0.0.1"))
    page = await (await make_client(transport=wire, ca_file=authority.file)).fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page), page


async def test_it_is_trusted_for_the_names_it_signed_alone(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob, authority: Any
) -> None:
    server = await serve(OK, tls=authority.server("127.0.0.2"))
    fault = await (await make_client(transport=wire, ca_file=authority.file)).fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault)
    assert (fault.kind, server.requests) == ("tls", [])


@pytest.mark.parametrize("is_one_file", [True, False], ids=["one file", "two files"])
async def test_a_server_that_asks_is_shown_the_client_certificate(
    is_one_file: bool, wire: str, serve: Any, make_client: Any, job_for: MakeJob, authority: Any, tmp_path: Path
) -> None:
    both, certificate, key = authority.client(tmp_path)
    context, shown = authority.server("127.0.0.1"), ShownBy()
    context.verify_mode = ssl.CERT_REQUIRED
    server = await serve(shown, tls=context)
    files = both if is_one_file else [certificate, key]
    client = await make_client(transport=wire, ca_file=authority.file, client_cert=files)
    page = await client.fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page), page
    assert shown.names == [(("email", "me@example.org"),)]


async def test_without_one_such_a_server_refuses(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob, authority: Any
) -> None:
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    server = await serve(OK, tls=context)
    fault = await (await make_client(transport=wire, ca_file=authority.file)).fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault)
    assert fault.kind in ("tls", "protocol")  # TLS 1.3: the server says so only after the handshake


class TestPinning:
    """https to a name, with the certificate looked at or not: never to an address that was not judged."""

    @pytest.mark.parametrize("verify", [True, False], ids=["checked", "unchecked"])
    async def test_the_judged_address_is_connected_to_and_the_name_is_asked_for(
        self,
        verify: bool,
        wire: str,
        serve: Any,
        make_client: Any,
        job_for: MakeJob,
        authority: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if verify and wire.endswith("pyreqwest"):
            pytest.skip("it connects by name: the certificate proves the host")
        context, asked = authority.server("shop.localhost"), []
        context.sni_callback = lambda sock, name, own: asked.append(name)
        server = await serve(OK, tls=context, keep=True)
        client = await make_client(transport=wire, verify_tls=verify, ca_file=authority.file)
        forbid_lookups(monkeypatch)
        for _ in range(2):
            page = await client.fetch(job_for(f"https://shop.localhost:{server.port}/x"), Unbounded())
            assert isinstance(page, Page), page
        # Between requests the blocking wire's loop stands still: what comes meanwhile may cost it its connection.
        assert asked in (["shop.localhost"], ["shop.localhost"] * (2 if wire.startswith("blocking") else 1))
        assert server.head("Host") == f"shop.localhost:{server.port}"

    async def test_two_names_on_one_address_never_share_a_connection(
        self, serve: Any, make_client: Any, job_for: MakeJob, authority: Any
    ) -> None:
        server = await serve(OK, tls=authority.server("a.localhost"), keep=True)
        client = await make_client(transport="httpx", ca_file=authority.file)
        first = await client.fetch(job_for(f"https://a.localhost:{server.port}/"), Unbounded())
        second = await client.fetch(job_for(f"https://b.localhost:{server.port}/"), Unbounded())
        assert isinstance(first, Page), first
        assert isinstance(second, Fault)
        assert (second.kind, len(server.requests)) == ("tls", 1)

    async def test_the_next_address_is_tried_where_one_refuses(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob, tls: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scraper.fetch.resolver.LOCALHOST", ("127.0.0.77", "127.0.0.1"))
        server = await serve(OK, tls=tls)
        client = await make_client(transport=wire, verify_tls=False)
        page = await client.fetch(job_for(f"https://localhost:{server.port}/"), Unbounded())
        assert isinstance(page, Page), page

    async def test_a_bad_certificate_is_not_looked_for_at_each_address(
        self, serve: Any, make_client: Any, job_for: MakeJob, tls: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scraper.fetch.resolver.LOCALHOST", ("127.0.0.1", "127.0.0.2", "127.0.0.3"))
        server = await serve(OK, tls=tls)
        fault = await (await make_client(transport="httpx")).fetch(
            job_for(f"https://localhost:{server.port}/"), Unbounded()
        )
        assert isinstance(fault, Fault)
        assert (fault.kind, server.connections) == ("tls", 0)  # a handshake that failed is no connection to asyncio


def forbid_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nobody in this process may ask the system for a name's address."""

    def refuse(host: object, *_: object, **__: object) -> list[object]:
        raise AssertionError(f"{host!r} was looked up")

    monkeypatch.setattr("socket.getaddrinfo", refuse)


class TestBadFiles:
    @pytest.fixture
    def files(self, tmp_path: Path, authority: Any) -> dict[str, str]:
        both, certificate, key = authority.client(tmp_path)
        other = tmp_path / "other.pem"
        trustme.CA().issue_cert("x.example").private_key_pem.write_to_path(other)
        (tmp_path / "text.pem").write_text("hello")
        (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        (tmp_path / "locked.pem").write_text(
            Path(certificate).read_text() + "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
        )
        names = {"both": both, "cert": certificate, "key": key, "other": str(other), "folder": str(tmp_path)}
        return names | {name: str(tmp_path / f"{name}.pem") for name in ("text", "broken", "locked", "gone")}

    @pytest.mark.parametrize(
        ("setting", "names", "words"),
        [
            ("ca_file", "gone", "cannot be read: No such file"),
            ("ca_file", "folder", "cannot be read: Is a directory"),
            ("ca_file", "text", "no certificate in PEM form"),
            ("ca_file", "key", "no certificate in PEM form"),
            ("ca_file", "broken", "certificate that cannot be read"),
            ("client_cert", "gone", "cannot be read: No such file"),
            ("client_cert", "text", "no certificate in PEM form"),
            ("client_cert", "cert", "no key in PEM form"),
            ("client_cert", "locked", "its key is encrypted"),
            ("client_cert", "cert other", "cannot be used"),
        ],
    )
    def test_each_costs_one_clear_line(self, setting: str, names: str, words: str, files: dict[str, str]) -> None:
        chosen: Any = [files[name] for name in names.split()]
        config = FetchConfig(**{setting: chosen if len(chosen) > 1 else chosen[0]})
        with pytest.raises(ConfigError, match=words) as caught:
            check_tls(config)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(f'fetch.{setting} = "')

    def test_good_ones_pass(self, files: dict[str, str], authority: Any) -> None:
        check_tls(FetchConfig(ca_file=authority.file, client_cert=files["both"]))
        check_tls(FetchConfig(client_cert=[files["cert"], files["key"]]))

    def test_a_client_is_not_made_with_bad_ones(self, files: dict[str, str], loop_wire: str) -> None:
        from scraper.config import NetworkConfig, PolitenessConfig

        with pytest.raises(ConfigError, match="no certificate in PEM form"):
            Client(FetchConfig(transport=loop_wire, client_cert=files["text"]), PolitenessConfig(), NetworkConfig())
