import doctest
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.records import Fault, SourceLine, Target
from scraper.urls import canonical
from scraper.urls.canonical import fingerprint, identify, shown, target_from

CANONICAL = [
    ("http://a.example", "http://a.example/"),
    ("HTTP://A.Example:80/", "http://a.example/"),
    ("https://a.example:443/x", "https://a.example/x"),
    ("https://a.example:80/x", "https://a.example:80/x"),
    ("http://a.example/b/../c/./d", "http://a.example/c/d"),
    ("http://a.example/%2e%2e/c", "http://a.example/c"),
    ("http://a.example/x#part", "http://a.example/x"),
    ("http://a.example/x#", "http://a.example/x"),
    ("http://a.example/x?", "http://a.example/x?"),
    ("http://a.example/%7Ejoe", "http://a.example/%7Ejoe"),
    ("http://a.example/a b", "http://a.example/a%20b"),
    ("http://a.example/\u00fc", "http://a.example/%C3%BC"),
    ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
    ("http:\\\\a.example\\x", "http://a.example/x"),
    ("http:a.example", "http://a.example/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://2852039166/", "http://169.254.169.254/"),
    ("http://[0:0::1]/", "http://[::1]/"),
    ("  http://a.example/ \t", "http://a.example/"),
    ("http://joe:secret@a.example/x", "http://a.example/x"),
]

REFUSED = [
    ("", "invalid_url", "no URL"),
    ("not a url", "invalid_url", "does not begin with https:// or http://"),
    ("a.example/x", "invalid_url", "no scheme: did you mean https://a.example/x?"),
    ("//a.example/x", "invalid_url", "no scheme: did you mean https://a.example/x?"),
    ("localhost:8000/x", "invalid_url", "no scheme: did you mean http://localhost:8000/x?"),
    ("a.example:80", "invalid_url", "no scheme: did you mean http://a.example:80?"),
    ("a.example:443", "invalid_url", "no scheme: did you mean https://a.example:443?"),
    ("joe:secret@a.example/x", "invalid_url", "no scheme: did you mean https://a.example/x?"),
    ("http://", "invalid_url", "no host"),
    ("http:///", "invalid_url", "no host"),
    ("http://:80/", "invalid_url", "no host"),
    ("http://[", "invalid_url", "'[' is neither a name nor an address"),
    ("http://1.2.3.4.5/", "invalid_url", "'1.2.3.4.5' is neither a name nor an address"),
    ("http://exa mple.com", "invalid_url", "white space in the host: 'exa mple.com'"),
    ("http://a.example:99999/", "invalid_url", "the port '99999' is not a number from 0 to 65535"),
    ("http://a.example:b/", "invalid_url", "the port 'b' is not a number"),
    ("http://joe:sec/ret@a.example/", "invalid_url", "percent-encode"),
    ("http://a.example/" + "x" * 65_536, "invalid_url", "longer than 65,536 characters: 65,553"),
    ("ftp://a.example/", "unsupported_scheme", "ftp: is not supported"),
    ("file:///etc/passwd", "unsupported_scheme", "file: is not supported"),
    ("javascript:alert(1)", "unsupported_scheme", "javascript: is not supported"),
    ("data:text/html,x", "unsupported_scheme", "data: is not supported"),
    ("mailto:joe@a.example", "unsupported_scheme", "mailto: is not supported"),
    ("tel:112", "unsupported_scheme", "tel: is not supported"),
]


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(canonical).failed == 0


@pytest.mark.parametrize(("text", "href"), CANONICAL)
def test_canonical_form(text, href):
    target = target_from(SourceLine(text, 7))
    assert isinstance(target, Target)
    assert (target.href, target.key, target.line) == (href, fingerprint(href), 7)


@pytest.mark.parametrize(("text", "kind", "words"), REFUSED)
def test_refused_with_a_reason(text, kind, words):
    found = target_from(SourceLine(text, 1))
    assert isinstance(found, Fault)
    assert found.kind == kind
    assert words in found.message
    assert "secret" not in found.message
    assert len(found.message) < 400


def test_url_is_kept_as_written_and_extra_is_carried():
    target = target_from(SourceLine(" HTTP://A.example/#x ", None, {"id": 1}))
    assert isinstance(target, Target)
    assert (target.url, target.host, target.extra, target.line) == ("HTTP://A.example/#x", "a.example", {"id": 1}, None)


def test_userinfo_is_decoded_and_kept_apart():
    target = target_from(SourceLine("http://jo%40e:p%3Aw@a.example/x"))
    assert isinstance(target, Target)
    assert target.userinfo == "jo@e:p:w"
    assert (target.url, target.href) == ("http://a.example/x", "http://a.example/x")


def test_record_with_an_error_is_a_fault_that_says_so():
    assert target_from(SourceLine("http://a.example/", 3, error="not JSON")) == Fault("invalid_url", "not JSON")


def test_lines_that_mean_one_page_share_a_key_and_bad_ones_never_take_it():
    key, _ = identify(SourceLine("http://a.example", 1))
    assert identify(SourceLine("HTTP://a.example:80/#x", 2))[0] == key
    assert identify(SourceLine("http://a.example/", 3, error="bad record"))[0] != key
    assert identify(SourceLine("http://a.example/x", 4))[0] != key


def test_overlong_line_does_not_take_the_key_of_the_page_it_would_mean():
    page = SourceLine("http://a.example/" + "x" * 60_000, 1)
    key, target = identify(page)
    assert isinstance(target, Target)
    other, fault = identify(SourceLine("http://a.example/" + "y/../" * 2_000 + "x" * 60_000, 2))
    assert isinstance(fault, Fault)
    assert other != key


def test_url_that_grows_too_long_when_it_is_encoded_is_no_url():
    fault = target_from(SourceLine("http://a.example/" + "\u00fc" * 30_000))
    assert isinstance(fault, Fault)
    assert "once encoded" in fault.message


def test_bad_lines_share_a_key_only_where_their_text_is_known_and_the_same():
    assert identify(SourceLine("not a url", 1))[0] == identify(SourceLine("not a url", 2))[0]
    assert identify(SourceLine("", 1, error="no URL"))[0] != identify(SourceLine("", 2, error="no URL"))[0]


def test_fingerprint_is_the_same_in_every_process_and_version():
    assert fingerprint("https://a.example/") == 0x3CEE9F1AA9B0667D
    code = "from scraper.urls.canonical import fingerprint; print(fingerprint('https://a.example/'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == fingerprint("https://a.example/")


def test_shown_text_has_no_password_and_can_be_encoded():
    assert shown(SourceLine(" joe:secret@\ud800 ")) == "\ufffd"


@given(st.text() | st.text(alphabet="htps:/\\@.ab%0?#[]\t ").map(lambda tail: f"http://{tail}"))
def test_any_text_gives_one_outcome_and_canonical_form_is_stable(text):
    found = target_from(SourceLine(text, 1))
    shown(SourceLine(text)).encode()
    if isinstance(found, Target):
        found.url.encode()
        assert target_from(SourceLine(found.href, 1)) == Target(
            found.key, found.href, found.href, found.host, 1, None, None
        )
