"""HTTPS with a new connection for each page, as many hosts make it: all certificates checked, no session used again."""

from pathlib import Path

from benchmarks.bench import Bench, BenchError, add_run, folders, ours, script, write_list
from benchmarks.pages import make_pages
from benchmarks.results import Case
from benchmarks.servers import find_nginx, free_port, nginx

HOSTS = 100
AUTHORITY = "ca.pem"


def run(bench: Bench) -> tuple[str, list[Case]]:
    """The tool, which also parses and writes, and aiohttp, which only fetches."""
    if find_nginx() is None:
        raise BenchError("needs nginx")
    cases: list[Case] = []
    with folders("pages", "server", "work") as (pages_folder, server, work):
        pages = make_pages(pages_folder)
        port = free_port()
        hosts = [f"127.0.1.{number}:{port}" for number in range(1, HOSTS + 1)]
        with nginx(pages_folder, server, listen_lines(hosts, server), keepalive_s=0):
            paths = pages.paths(bench.pages)
            urls = [f"https://{hosts[number % HOSTS]}{path}" for number, path in enumerate(paths)]
            _race(bench, cases, write_list(work, urls), server / AUTHORITY, len(urls))
        setting = f"{pages.describe(bench.pages)} from {HOSTS} HTTPS hosts of one nginx, a new connection for each"
    return f"{setting}, certificates checked; title and h1; {bench.rounds} rounds", cases


def _race(bench: Bench, cases: list[Case], listed: Path, authority: Path, pages: int) -> None:
    work = listed.parent
    commands = {
        "ours-two": ours(listed, "two.toml", work / "out", "--set", f"fetch.ca_file={authority}"),
        "aiohttp, fetch only": script("aiohttp_fetch", listed, work / "rows.jsonl", str(authority)),
    }
    for _ in range(bench.rounds):
        for name, command in commands.items():
            add_run(cases, name, pages, bench.measure(name, pages, command, work))
    if (work / "out" / "pages.jsonl").read_bytes().count(b"\n") != pages:
        raise BenchError("the tool did not write a row for every URL")


def listen_lines(hosts: list[str], folder: Path) -> list[str]:
    """The lines of nginx's config for these hosts, with a certificate made for the occasion and no session kept."""
    import trustme  # here, so that the names of the scenarios can be had without it

    authority = trustme.CA()
    certificate = authority.issue_cert(*(host.partition(":")[0] for host in hosts))
    authority.cert_pem.write_to_path(str(folder / AUTHORITY))
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    return [
        *(f"listen {host} ssl backlog=4096;" for host in hosts),
        f"ssl_certificate {chain};",
        f"ssl_certificate_key {key};",
        "ssl_session_cache off;",
        "ssl_session_tickets off;",
    ]
