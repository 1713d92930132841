"""What counts as a web page."""

import pytest

from scraper.parse.media import looks_like_html, why_not_html


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<p>a", "text/html"),
        (b"no tags at all", "text/html; charset=utf-8"),
        (b"", "text/html"),
        (b"", ""),
        (b"<p>a", "TEXT/HTML;charset=x"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'>", "application/xhtml+xml"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", "application/xml"),
        (b"<?xml version='1.0'?>\n<html>", "text/xml"),
        (b"\n  <!-- hello --><!DOCTYPE HTML>", ""),
        (b"\xef\xbb\xbf<html>", ""),
        (b"\xff\xfe" + "<html>".encode("utf-16-le"), ""),
        (b"<div>a</div>", "text/plain"),
        (b"<body>", "application/octet-stream"),
        (b"<h1>a", "html"),
        (b"MZ is how this text begins", "text/html"),
    ],
)
def test_these_are_pages(body: bytes, content_type: str) -> None:
    assert why_not_html(body, content_type) is None
    assert looks_like_html(body, content_type)


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"%PDF-1.7\n", "application/pdf", "PDF"),
        (b"%PDF-1.7\n", "text/html", "PDF, though the answer says text/html"),
        (b"\x89PNG\r\n\x1a\n", "", "PNG image"),
        (b"\xff\xd8\xff\xe0", "image/jpeg", "JPEG image"),
        (b"GIF89a", "text/plain", "GIF image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "WebP image"),
        (b"\0\0\0\x20ftypisom", "", "MP4 video or audio"),
        (b"PK\x03\x04", "application/octet-stream", "ZIP archive"),
        (b"\x1f\x8b\x08\0", "text/html", "gzip archive, though the answer says text/html"),
        (b"<html>", "image/svg+xml", "the answer is image/svg+xml"),
        (b'{"a": "<html>"}', "application/json", "the answer is application/json"),
        (b"a,b\n1,2\n", "text/csv", "the answer is text/csv"),
        (b"plain words", "text/plain", "the answer is text/plain and does not begin like HTML"),
        (b"plain words", "", "the answer is of no stated type and does not begin like HTML"),
        (
            b"<?xml version='1.0'?><rss>",
            "application/xml",
            "the answer is application/xml and does not begin like HTML",
        ),
        (b"<abbreviation>", "", "the answer is of no stated type and does not begin like HTML"),
    ],
)
def test_these_are_not_and_the_reason_is_told(body: bytes, content_type: str, reason: str) -> None:
    assert why_not_html(body, content_type) == reason
