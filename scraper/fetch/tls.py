"""The TLS settings of [fetch] for both wires: whom to trust, and the certificate of our own. Reads the files."""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

import httpx
from pyreqwest.client import BaseClientBuilder, Client, ClientBuilder, SyncClient, SyncClientBuilder
from pyreqwest.exceptions import BuilderError

from scraper.errors import ConfigError

if TYPE_CHECKING:
    from scraper.config import FetchConfig

Builder = TypeVar("Builder", bound=BaseClientBuilder)


def check_tls(config: "FetchConfig") -> None:
    """Raise ConfigError, one line, for a file that cannot be read or used. Costs nothing where none is named."""
    if not config.ca_file and not config.client_files:
        return
    tls_context(config)


def tls_context(config: "FetchConfig") -> ssl.SSLContext:
    """The context for Python's own TLS, shared by all who ask with the same settings. Raises ConfigError."""
    return _context(config.verify_tls, config.ca_file, config.client_files)


def proxy_context(config: "FetchConfig") -> ssl.SSLContext:
    """The context for https proxies, whose certificates are always checked and who are not shown ours."""
    return _context(True, config.ca_file, ())


@overload
def build_client(builder: ClientBuilder, config: "FetchConfig") -> Client: ...
@overload
def build_client(builder: SyncClientBuilder, config: "FetchConfig") -> SyncClient: ...
def build_client(builder: ClientBuilder | SyncClientBuilder, config: "FetchConfig") -> Client | SyncClient:
    """The pyreqwest client with the same settings. Raises ConfigError."""
    check_tls(config)  # OpenSSL says best what is wrong with a file
    try:
        return _with_tls(builder, config).build()
    except BuilderError as exc:  # rustls takes less than OpenSSL
        causes = exc.details["causes"] or []
        cause = causes[-1]["message"] if causes else exc.message
        reason = f'not usable on this wire ({cause}): try fetch.transport = "httpx"'
        raise _wrong("fetch.ca_file", config.ca_file, reason) from None


def _with_tls(builder: Builder, config: "FetchConfig") -> Builder:
    builder = builder.danger_accept_invalid_certs(not config.verify_tls)
    if config.ca_file:
        builder = builder.add_root_certificate_pem(_read("fetch.ca_file", config.ca_file))
    if config.client_files:
        pem = b"\n".join(_read("fetch.client_cert", file) for file in config.client_files)
        try:
            builder = builder.identity_pem(pem)
        except ValueError:
            reason = 'not usable on this wire: try another kind of key, or fetch.transport = "httpx"'
            raise _wrong("fetch.client_cert", config.client_files[0], reason) from None
    return builder


@lru_cache(maxsize=8)
def _context(verify: bool, ca_file: str, client_files: tuple[str, ...]) -> ssl.SSLContext:
    """Shared, since reading the root certificates takes 30 ms."""
    context = httpx.create_ssl_context(verify, trust_env=False)
    if ca_file:
        _trust(context, ca_file)
    if client_files:
        _identify(context, client_files)
    return context


def _trust(context: ssl.SSLContext, ca_file: str) -> None:
    pem = _read("fetch.ca_file", ca_file).decode("ascii", "replace")
    if "-----BEGIN CERTIFICATE-----" not in pem:
        raise _wrong("fetch.ca_file", ca_file, "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    try:
        context.load_verify_locations(cadata=pem)
    except ssl.SSLError as exc:
        raise _wrong("fetch.ca_file", ca_file, f"holds a certificate that cannot be read ({exc.reason})") from None


def _identify(context: ssl.SSLContext, files: tuple[str, ...]) -> None:
    pem = b"".join(_read("fetch.client_cert", file) for file in files)
    if b"ENCRYPTED" in pem:  # OpenSSL would ask for the passphrase on the terminal
        hint = "take the passphrase off a copy that only you can read: openssl pkey -in KEY -out COPY"
        raise _wrong("fetch.client_cert", files[-1], f"its key is encrypted: {hint}")
    for what, mark in (("certificate", b"-----BEGIN CERTIFICATE-----"), ("key", b"PRIVATE KEY-----")):
        if mark not in pem:
            raise _wrong("fetch.client_cert", files[-1], f"holds no {what} in PEM form")
    try:
        context.load_cert_chain(*files)
    except ssl.SSLError as exc:
        raise _wrong("fetch.client_cert", files[0], f"certificate and key cannot be used ({exc.reason})") from None


def _read(key: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as exc:
        raise _wrong(key, file, f"cannot be read: {exc.strerror}") from None


def _wrong(key: str, file: str, reason: str) -> ConfigError:
    return ConfigError(f'{key} = "{file}": {reason}')
