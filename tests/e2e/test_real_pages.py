"""The finished tool over 251 real web pages, served locally: each gives a row, titles agree with another parser."""

import gzip
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

PAGES = Path(__file__).parents[2].parent / "shared" / "pages"

pytestmark = pytest.mark.skipif(not PAGES.is_dir(), reason="the folder of real pages is not on this machine")


@pytest.fixture(scope="module")
def served():
    """The base URL and the bodies by number."""
    bodies = [
        gzip.decompress((PAGES / json.loads(line)["file"]).read_bytes())
        for line in (PAGES / "manifest.jsonl").read_text().splitlines()
    ]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = self.path[1:]
            body = bodies[int(number)] if number.isdecimal() else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def title_of(body: bytes) -> str | None:
    """An independent reading: the first <title> that is not inside an svg, as text."""
    lxml_html = pytest.importorskip("lxml.html")
    for element in lxml_html.document_fromstring(body, parser=lxml_html.HTMLParser(encoding="utf-8")).iter("title"):
        if not any(above.tag == "svg" for above in element.iterancestors()):
            return re.sub(r"\s+", " ", element.text_content()).strip()
    return None


def test_every_real_page_gives_a_row_and_its_title(cli, served):
    base, bodies = served
    urls = [f"{base}/{number}" for number in range(len(bodies))]
    result = cli("run", cli.write_list(urls), "--set", "fields.title=title", "--no-progress")
    assert result.code == 0
    assert f"input {len(bodies)} = {len(bodies)} ok" in result.err
    found = {row["url"]: row["title"] for row in cli.rows()}
    assert len(bodies) == len(found) == 251
    differing = {url: (found[url], title_of(bodies[number])) for number, url in enumerate(urls)}
    differing = {url: pair for url, pair in differing.items() if (pair[0] or None) != (pair[1] or None)}
    assert not differing
