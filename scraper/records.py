"""The frozen records that travel between the stages. No behaviour lives here, no I/O, and no import of a stage.

They are msgspec's structs: making one takes 0.1 us, a frozen dataclass 2, and each page needs six of them. None is part
of a cycle, so the garbage collector need not know them. To change one, make another: `msgspec.structs.replace`.

SourceLine ──► Target ──► Job ──► Page ──► Parsed ──► (writer)
                  │         └───► Fault ─┐
                  └──────────────────────┴─► Failure ─► (writer)
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

FailureKind = Literal[
    "invalid_url",
    "unsupported_scheme",
    "blocked_address",
    "robots",
    "dns",
    "connect",
    "tls",
    "timeout",
    "protocol",
    "truncated",
    "too_large",
    "decode",
    "too_many_redirects",
    "bad_redirect",
    "http_status",
    "not_html",
    "required_field",
    "parse_crash",
    "parse_timeout",
    "parse_memory",
    "cancelled",
]
"""Why a URL gave no row. The closed set that users meet in failures.jsonl."""


class ArchivePlace(msgspec.Struct, frozen=True, gc=False):
    """Where in a WARC file a reply was kept."""

    file: str
    """Its path."""
    offset: int
    """Bytes before the record; in a gzipped file, before its gzip member."""


class SourceLine(msgspec.Struct, frozen=True, gc=False):
    """One record of an input list, as it was read."""

    text: str
    """The URL as written, without surrounding white space."""
    line: int | None = None
    """1-based line number in its file or in standard input, in an archive the record's; None for an argument."""
    extra: Mapping[str, Any] | None = None
    """The record's other columns, carried to the row; None where there are none."""
    error: str | None = None
    """Why the record could not be read (bad JSON, no URL in it); None for a good one."""
    place: ArchivePlace | None = None
    """Where the reply to the URL was kept; None where it is to be fetched."""


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a page was known by when its row was written: `--refresh` asks the server whether that still holds."""

    etag: str = ""
    """The ETag header as sent, "" where there was none."""
    modified: str = ""
    """The Last-Modified header as sent, "" where there was none."""
    content: int = 0
    """The salted 64-bit hash of the plain body."""
    final: int = 0
    """The fingerprint of the URL that answered; only kept where `write.dedupe` asks for it."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """A URL that was accepted and must end in exactly one outcome."""

    key: int
    """64-bit fingerprint: the URL's identity in the seen-set and in the journal."""
    url: str
    """As written, less any user:password."""
    href: str
    """The canonical URL that is requested: WHATWG form, no fragment, no user:password."""
    host: str
    """Host name in ASCII, lower case, no port: the unit of politeness."""
    line: int | None = None
    extra: Mapping[str, Any] | None = None
    userinfo: str | None = None
    """`user:password` of the URL, percent-decoded; sent to the target's own origin only, never written."""
    robots_url: str | None = None
    """Set where this is no page of the input: the robots.txt that such a page of the input waits for."""
    place: ArchivePlace | None = None
    """As in the SourceLine."""
    again: bool = False
    """It has an outcome from an earlier session, which this one's replaces."""
    known: Mark | None = None
    """What its page was known by, where that outcome is a row."""


class Job(msgspec.Struct, frozen=True, gc=False):
    """One request to make: a target's first hop, a redirect's next hop, or another try."""

    target: Target
    url: str
    """The absolute URL of this hop; no fragment, no user:password."""
    host: str
    attempt: int = 1
    """1 for the first try; a try is the whole chain of hops."""
    hop: int = 0
    """Redirects followed so far in this try."""
    spent_s: float = 0.0
    """Seconds of this try's deadline used by earlier hops; time spent waiting for politeness is not counted."""


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request and the head of its answer as bytes, for an archive."""

    request_head: bytes
    """Up to the blank line and with it, less what may be secret; b"" where it is not known."""
    response_head: bytes
    """The same of the answer, with the headers as they came: as far as the wire tells (see `fetch.heads`)."""
    ip: str | None
    """The address that was connected to; None where only the wire knows it, or a proxy."""


class Page(msgspec.Struct, frozen=True, gc=False):
    """A whole answer of status 2xx, ready to be parsed."""

    url: str
    """As written in the input, less any user:password."""
    final_url: str
    """The URL that answered, after redirects."""
    status: int
    content_type: str
    """The Content-Type header as sent, "" where there was none."""
    body: bytes
    """As it was sent, in `coding`. Plain when it is parsed, and then never cut."""
    fetched_at: float
    """Seconds since the epoch, UTC."""
    extra: Mapping[str, Any] | None = None
    """The input record's other columns."""
    body_file: str | None = None
    """Where the body was kept, relative to the output folder; None where bodies are not kept."""
    coding: str = ""
    """The content codings left in `body`, as `scraper.coding` names them; "" = none, and so in what a parser gets."""
    close_delimited: bool = False
    """Only the end of the connection said where the body ends (RFC 9112 section 6.3), so nobody can tell a cut one."""
    exchange: Exchange | None = None
    """Only where the pages are archived."""
    etag: str = ""
    """The ETag header as sent; stays with the loop."""
    modified: str = ""
    """The Last-Modified header as sent; stays with the loop."""
    head_s: float = 0.0
    """Seconds from the start of its request to the head of the answer; stays with the loop."""


class Redirect(msgspec.Struct, frozen=True, gc=False):
    """An answer that points elsewhere; whether to follow is decided by the hop rules."""

    location: str
    status: int
    took_s: float = 0.0
    """Seconds this hop took of the try's deadline."""


class Fault(msgspec.Struct, frozen=True, gc=False):
    """What went wrong with one request or one page, before it is known whether it will be tried again."""

    kind: FailureKind
    message: str
    status: int | None = None
    """HTTP status where there was an answer, else None."""
    retry_after_s: float | None = None
    """Seconds the server asked us to stay away, None where it did not ask."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """The final outcome of a URL that gave no row, as written to failures.jsonl."""

    url: str
    error: FailureKind
    message: str
    status: int | None
    attempts: int
    """Requests chains tried; 0 where nothing was sent."""
    at: str
    """RFC 3339, UTC."""
    line: int | None


ColumnType = Literal["str", "int", "float", "decimal", "bool", "date", "datetime", "json"]


class Column(msgspec.Struct, frozen=True, gc=False):
    """One column of a store that has fixed ones. With `many` it is a list of `type`."""

    name: str
    type: ColumnType = "str"
    many: bool = False


FieldType = Literal["str", "int", "float", "decimal", "bool", "date", "datetime", "url", "json"]


class FieldSpec(msgspec.Struct, frozen=True, gc=False):
    """One `[fields]` entry as the parse workers get it: plain data, checked by `parse.rules.compile_rules`."""

    name: str
    css: str
    attr: str | None = None
    """Attribute to read; None reads the text a reader sees."""
    many: bool = False
    """All matches as a list, in document order."""
    count: bool = False
    """The number of matches."""
    length: bool = False
    """The number of characters of the text."""
    type: FieldType = "str"
    regex: str | None = None
    """Searched in the value; group 1 where the pattern has one, else the whole match, is kept."""
    default: Any = None
    """The value where nothing matches or the match cannot be read as `type`."""
    required: bool = False
    """Without a value the page is a `required_field` failure."""


class ParsePlan(msgspec.Struct, frozen=True, gc=False):
    """All that a parse worker must know, fixed for the run; plain data that crosses a process border."""

    fields: tuple[FieldSpec, ...] = ()
    """Empty: the default fields."""
    article: bool = False
    function: str | None = None
    """`module:callable` of the user's own Python."""
    formats: tuple[str, ...] = ("jsonl",)
    """The forms in which each row is wanted."""
    columns: tuple[Column, ...] = ()
    """In order, for the forms that have fixed ones."""
    salt: int = 0
    """What content hashes begin with."""
    max_body: int = 16 * 2**20
    """Bytes of a plain body at most: fetch.max_body."""


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """What a worker sends back for one page: the encoded row, or why there is none."""

    row: bytes | None
    """The row in the sinks' own form, line end included. Where `kind` is set: what they keep of the page that failed,
    None where that is nothing."""
    kind: FailureKind | None = None
    message: str = ""
    content: int = 0
    """The salted 64-bit hash of the plain body."""


class Read(msgspec.Struct, frozen=True, gc=False):
    """A page that was fetched and parsed in one place, as some models of running do."""

    page: Page
    """Less its body."""
    size: int
    """Bytes of the body, as it was sent."""
    parsed: Parsed
    parse_s: float = 0.0
