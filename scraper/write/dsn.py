"""A PostgreSQL connection string: what of it may be shown, and what is added to it. No connection is made here."""

from collections.abc import Mapping
from typing import Any

import msgspec

from scraper.errors import ConfigError

FALLBACKS = {
    "fallback_application_name": "scraper",
    "client_encoding": "UTF8",
    # A server that went away without a word is noticed in a minute, not in two hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
CONNECT_TIMEOUT_S = "15"
SECRETS = ("password", "sslpassword", "oauth_client_secret")
HIDDEN = "***"


class Server(msgspec.Struct, frozen=True):
    """Where to connect, and how to speak of it."""

    parameters: dict[str, Any]
    """libpq's keywords, secrets included: never to be shown."""
    shown: str
    """Host and database."""

    def without_secrets(self, text: str) -> str:
        """A text with whatever secret is in it hidden."""
        for secret in SECRETS:
            if value := self.parameters.get(secret):
                text = text.replace(str(value), HIDDEN)
        return text


def read_dsn(dsn: str, environ: Mapping[str, str]) -> Server:
    """A connection string as its parts, with what this program adds where neither it nor the environment says.

    Raises ConfigError, which shows nothing of the string: where it cannot be read, a part of the password may stand
    anywhere in it.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given: dict[str, Any] | None = conninfo_to_dict(dsn)
    except psycopg.Error:
        given = None
    if given is None or ("://" in dsn and _is_torn(given)):
        raise ConfigError(
            "write.path: cannot be read as a PostgreSQL connection: write postgresql://user:password@host:5432/name, "
            "with %40 for @, %2F for / and %3A for : in user and password"
        )
    parameters = {**FALLBACKS, **given}
    if "PGCONNECT_TIMEOUT" not in environ:
        parameters.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    host = given.get("host") or environ.get("PGHOST") or "localhost"
    return Server(parameters, f"{host}/{given.get('dbname') or environ.get('PGDATABASE') or ''}".rstrip("/"))


def _is_torn(given: Mapping[str, Any]) -> bool:
    """Whether an `@` or `/` of the password, not escaped, has made the rest of it a host, a port or a database."""
    return any("@" in str(given.get(part, "")) for part in ("host", "port", "dbname"))
