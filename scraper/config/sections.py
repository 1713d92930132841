"""The sections of the configuration: every key with its default, its limits and the reason for both.

Inside the code durations are float seconds and sizes int bytes. Each stage is handed its own section, never the whole.
No I/O lives here; the descriptions are the comments of config/default.toml.
"""

import os
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from scraper.auto import MOST
from scraper.config.headers import check_header, check_header_value
from scraper.config.proxy import Proxy, read_proxy
from scraper.config.secrets import expand
from scraper.config.units import format_duration, format_size, parse_duration, parse_size
from scraper.config.words import Quantity
from scraper.records import FieldType

PRODUCT = "hybrid-scraper/0.1"
"""RFC 9110 section 10.1.5: who is asking, with no more of the version than a site's owner needs."""


def _read_duration(value: object) -> object:
    """Leave what cannot be read to the type check, whose message names what was expected."""
    try:
        return parse_duration(value)
    except ValueError:
        return value


def _read_size(value: object) -> object:
    try:
        return parse_size(value)
    except ValueError:
        return value


Duration = Annotated[
    float,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration),
    Quantity("a duration", "10s", format_duration),
]
Size = Annotated[
    int,
    BeforeValidator(_read_size),
    PlainSerializer(format_size),
    Quantity("a size", "16MiB", format_size),
]

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4
_DAY_S = 24 * 3600.0


class Section(BaseModel):
    """What all sections share: unknown keys are refused, types are not bent, nothing changes after load."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


Model = Literal["hybrid", "asyncio", "asyncio-threads", "threads", "processes", "sharded"]


class RunConfig(Section):
    """The run as a whole."""

    model: Model = Field(
        default="hybrid",
        description='What fetches and what parses: "hybrid" one loop and worker processes; "asyncio" one loop; '
        '"asyncio-threads" one loop and threads; "threads" and "processes" each one page at a time; "sharded" a loop '
        "in each process, for some of the sites. `scraper compare` measures them.",
    )
    shutdown_timeout: Duration = Field(
        default=10.0,
        ge=0,
        le=_DAY_S,
        description="How long pages in flight may take to finish after the first interrupt; then they are left "
        "for the next run.",
    )
    memory: Literal["auto"] | Annotated[Size, Field(ge=MIB, le=TIB)] = Field(
        default="auto",
        description='One budget for all bodies in flight, from socket to writer. "auto" takes an eighth of what '
        "the machine or its container allows, at least 64MiB, at most 128MiB.",
    )
    window: int = Field(
        default=20_000,
        ge=1,
        le=10_000_000,
        description="URLs held ready at once; a longer list waits in its file. Large enough that one slow host "
        "does not hide the others.",
    )


class FetchConfig(Section):
    """Requests and answers."""

    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = Field(
        default=64,
        description="Requests in flight at once over all hosts. 64 keeps one core busy with most sites; try 256 "
        'for thousands of slow ones. "auto" begins with 16 and doubles, up to 1024, while that gives more pages a '
        "second.",
    )
    timeout: Duration = Field(
        default=30.0,
        ge=0.001,
        le=_DAY_S,
        description="A whole try: connecting, every redirect and the last byte of the body.",
    )
    connect_timeout: Duration = Field(
        default=10.0,
        ge=0.001,
        le=_DAY_S,
        description="Connecting, TLS included; a dead host should not cost a whole try.",
    )
    max_body: Size = Field(
        default=16 * MIB,
        ge=KIB,
        le=GIB,
        description="A larger page, counted after decompression, is a too_large failure and never a cut row.",
    )
    retries: int = Field(
        default=2, ge=0, le=20, description="Further tries after faults that may pass: network, timeout, 408, 429, 5xx."
    )
    backoff: Duration = Field(
        default=0.5, ge=0, le=_DAY_S, description="The wait before the first retry; it doubles each time, with jitter."
    )
    backoff_max: Duration = Field(default=60.0, ge=0, le=_DAY_S, description="The longest wait between two tries.")
    max_redirects: int = Field(
        default=10, ge=0, le=50, description="Redirects followed in one try; browsers stop at 20, honest sites need 3."
    )
    transport: Literal["pyreqwest", "httpx"] = Field(
        default="pyreqwest",
        description='What speaks HTTP: "pyreqwest" costs a fraction of the CPU; "httpx" is there to compare, and '
        "for where the first misbehaves.",
    )
    http2: bool = Field(
        default=False, description="Offer HTTP/2 to https hosts; those that do not know it get HTTP/1.1."
    )
    headers: dict[str, str] = Field(
        default={},
        description="Sent with each request to a target's own origin, never to where a redirect leads. $NAME stands "
        "for an environment variable.",
    )
    cookies: bool = Field(
        default=False,
        description="Keep cookies for the length of the run, each for its own site; some sites send those in circles "
        "who keep none.",
    )
    proxy: str | list[str] = Field(
        default="",
        description='"http://user:$PASSWORD@host:port", https, socks5 or socks5h; of several each takes its turn. Goes '
        "over the httpx wire.",
    )
    verify_tls: bool = Field(
        default=True, description="Check certificates. Switch off only for hosts you run yourself."
    )
    ca_file: str = Field(
        default="", description="A PEM file of certificate authorities to trust besides the usual ones."
    )
    client_cert: str | list[str] = Field(
        default="",
        description="A PEM file with your own certificate and its key, or [certificate, key]; shown to every https "
        "host that asks for one.",
    )
    keep_bodies: bool = Field(
        default=False, description="Also store each body under bodies/ in the output, named by its hash."
    )

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            check_header(name, from_environment(name, value))
        return headers

    @field_validator("proxy")
    @classmethod
    def _proxies_can_be_read(cls, proxy: str | list[str]) -> str | list[str]:
        for text in listed(proxy):
            read_proxy(text, os.environ)
        return proxy

    @field_validator("client_cert")
    @classmethod
    def _cert_is_one_file_or_two(cls, files: str | list[str]) -> str | list[str]:
        if isinstance(files, list) and (len(files) != 2 or not all(files)):
            raise ValueError("expected one file, or [certificate, key]")
        return files

    @property
    def most_concurrency(self) -> int:
        """Requests in flight at once, which "auto" never goes beyond."""
        return MOST if self.concurrency == "auto" else self.concurrency

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers with what the environment holds in place; never to be shown."""
        return {name: expand(value, os.environ) for name, value in self.headers.items()}

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """The proxies to use in turn; none where requests go straight to their hosts."""
        return tuple(read_proxy(text, os.environ) for text in listed(self.proxy))

    @property
    def client_files(self) -> tuple[str, ...]:
        """The files of the client certificate: none, one with both, or certificate and key."""
        return tuple(listed(self.client_cert))


def listed(value: str | list[str]) -> list[str]:
    """A text as a list of one, "" as an empty one."""
    return value if isinstance(value, list) else [value] if value else []


def from_environment(name: str, value: str) -> str:
    """The value with what the environment holds in place. Raises ValueError naming the setting."""
    try:
        return expand(value, os.environ)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


class PolitenessConfig(Section):
    """How gently hosts are treated."""

    per_host: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = Field(
        default="auto",
        description='Requests in flight to one host. "auto": 8 to a public host, no bound but fetch.concurrency to '
        "this machine.",
    )
    delay: Duration = Field(
        default=0.0, ge=0, le=_DAY_S, description="The least time between the starts of two requests to one host."
    )
    adaptive: bool = Field(
        default=True,
        description="Ask a host for less while it answers 429 or 503 or not at all, and slowly for more again; never "
        "for more than per_host and delay allow.",
    )
    by: Literal["host", "address"] = Field(
        default="host",
        description='What per_host and delay hold for: "address" takes all names that lead to one address as one host.',
    )
    user_agent: str = Field(
        default=PRODUCT, description="The name the scraper goes by; hiding it gets good scrapers blocked."
    )
    contact: str = Field(
        default="",
        description="A URL or mail address for the site's owner, appended to user_agent as (+contact); please set it.",
    )
    robots: bool = Field(default=True, description="Obey robots.txt (RFC 9309), Crawl-delay included up to max_wait.")
    respect_retry_after: bool = Field(default=True, description="Wait as long as a 429 or 503 answer asks.")
    max_wait: Duration = Field(
        default=60.0,
        ge=0,
        le=_DAY_S,
        description="The longest such wait that is accepted; asked for more, the URL fails.",
    )

    @field_validator("user_agent")
    @classmethod
    def _agent_can_be_sent(cls, agent: str) -> str:
        if not agent.strip():
            raise ValueError(f'expected a name, such as "{PRODUCT}"')
        check_header_value(agent)
        return agent

    @field_validator("contact")
    @classmethod
    def _contact_can_be_sent(cls, contact: str) -> str:
        check_header_value(contact)
        return contact.strip()

    @property
    def agent(self) -> str:
        """The User-Agent header to send: user_agent, then the contact where one is given."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent


class NetworkConfig(Section):
    """Which addresses may be reached."""

    private_addresses: Literal["listed", "deny", "allow"] = Field(
        default="listed",
        description='Loopback and private addresses: "listed" reaches them only where the input itself names them, '
        "never by redirect or DNS answer.",
    )


class ParseConfig(Section):
    """The worker processes."""

    processes: Literal["auto"] | Annotated[int, Field(ge=1, le=1024)] = Field(
        default="auto",
        description='Worker processes. "auto" takes all cores this process may run on or be given; "hybrid" '
        "begins with two, and adds others while pages wait for them.",
    )
    timeout: Duration = Field(
        default=30.0, ge=0.01, le=_DAY_S, description="A page that takes longer to parse is a parse_timeout failure."
    )
    max_memory: Size = Field(
        default=GIB, ge=64 * MIB, le=TIB, description="A worker that outgrows it is replaced: parse_memory."
    )
    batch_bytes: Size = Field(
        default=256 * KIB,
        ge=KIB,
        le=256 * MIB,
        description="Bodies are handed to a worker in batches of about this size, so that handing over costs "
        "less than parsing.",
    )
    batch_age: Duration = Field(
        default=0.005, ge=0, le=60.0, description="A batch leaves after this long even when it is not full."
    )
    function: str = Field(
        default="", description='Your own Python for each page, "module:callable"; its keys follow the fields.'
    )
    article: bool = Field(
        default=False, description="Add main text, author, date and language of articles (needs the extra: article)."
    )

    @field_validator("function")
    @classmethod
    def _function_is_a_path(cls, function: str) -> str:
        if function and not re.fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", function):
            raise ValueError('expected "module:callable", such as "my_rules:extract"')
        return function


class FieldConfig(Section):
    """One entry of [fields] in its long form; `title = "h1"` is short for `title = { css = "h1" }`."""

    css: Annotated[str, Quantity("a CSS selector", "h1", str)] = Field(min_length=1, description="The CSS selector.")
    attr: str | None = Field(default=None, description="The attribute to read instead of the text.")
    many: bool = Field(default=False, description="All matches as a list.")
    count: bool = Field(default=False, description="The number of matches.")
    length: bool = Field(default=False, description="The number of characters of the text.")
    type: FieldType = Field(default="str", description="What the text is read as.")
    regex: str | None = Field(
        default=None, description="Searched in the text; its group 1, else the whole match, is kept."
    )
    default: Any = Field(default=None, description="The value where nothing matches or the match cannot be read.")
    required: bool = Field(default=False, description="Without a value the page is a required_field failure.")
