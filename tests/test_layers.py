"""The direction of imports: who may import whom, read off the source and compared with two tables.

cli -> pipeline -> stage shells -> pure stage files -> config, stats -> records, errors
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (
    ("records", "errors"),
    ("auto", "histogram", "stopwatch", "stats"),
    ("coding", "config", "disk", "weburl", "budget", "ledger", "loop", "openfiles", "warcfile", "machine"),
    ("advice", "series", "telemetry"),
    ("limits", "telemetryfile"),
    ("urls", "fetch", "parse", "write", "site"),
    ("journal", "places", "rowform", "summary", "work", "backlog", "monitor"),
    ("resume", "stores", "fit", "parted"),
    ("outputs", "revisit"),
    ("folder", "parts", "reasons"),
    ("admission", "settlement", "rowsource"),
    ("engine",),
    ("models",),
    ("pipeline",),
    ("assemble",),
    ("session", "inspection", "api", "status", "export"),
    ("__init__",),
    ("measure",),
    ("cli",),
    ("__main__",),
)
"""Files and folders of scraper/: each may import the lines above its own, and nothing beside or below it."""

SHELLS = {
    "scraper.fetch.archive",
    "scraper.fetch.blocking",
    "scraper.fetch.client",
    "scraper.fetch.deadline",
    "scraper.fetch.httpx_wire",
    "scraper.fetch.proxied",
    "scraper.fetch.resolver",
    "scraper.fetch.tls",
    "scraper.fetch.transport",
    "scraper.fetch.tunnel",
    "scraper.fetch.wires",
    "scraper.parse.forked",
    "scraper.parse.link",
    "scraper.parse.pool",
    "scraper.parse.process",
    "scraper.parse.worker",
    "scraper.urls.gate",
    "scraper.urls.replies",
    "scraper.urls.sources",
    "scraper.urls.stdin",
    "scraper.write.bodies",
    "scraper.write.committed",
    "scraper.write.compressed",
    "scraper.write.duckdb",
    "scraper.write.files",
    "scraper.write.parquet",
    "scraper.write.partforms",
    "scraper.write.partplaces",
    "scraper.write.postgres",
    "scraper.write.sqlite",
    "scraper.write.staged",
    "scraper.write.whole",
    "scraper.write.wholetable",
    "scraper.write.writer",
}
"""Stage files that do I/O. All others of a stage folder are pure: they import none of these and none of IO."""

STAGES = ("urls", "fetch", "parse", "write")
IO = {"asyncio", "socket", "threading", "multiprocessing", "subprocess", "selectors", "httpx", "pyreqwest", "aiofiles"}
VOCABULARY = {"fetch": {"httpx", "pyreqwest", "socket"}}
"""By stage: modules whose types and errors its pure files may name."""
HEAVY = {"asyncio", "httpx", "pydantic", "pyreqwest", "aiofiles", "tenacity", "typer", "rich", "uvicorn"}
"""What a parse worker has no use for: each costs tens of milliseconds at its start."""


def modules() -> dict[str, Path]:
    """The package's modules by their dotted name; a folder's `__init__` bears the folder's name."""
    files = sorted((ROOT / "scraper").rglob("*.py"))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = modules()


def imports(name: str) -> Iterator[tuple[str, int]]:
    """Every module that `name` imports, anywhere in its text, with the line; of the package, the file meant."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: write imports in full, from scraper..."
            source = str(node.module)
            for full in (f"{source}.{alias.name}" for alias in node.names):
                yield (full if full in MODULES else source), node.lineno


def area(name: str) -> str:
    """The part of a module's name that stands in LAYERS."""
    return [*name.split("."), "__init__"][1]


def rank(name: str) -> int:
    return next((index for index, line in enumerate(LAYERS) if area(name) in line), -1)


def is_pure(name: str) -> bool:
    return area(name) in STAGES and name not in SHELLS


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_only_from_the_layers_above_it(name: str) -> None:
    assert rank(name) >= 0, f"{name} has no place in LAYERS: say on which line it belongs"
    for target, line in imports(name):
        if target.split(".")[0] == "scraper" and area(target) != area(name):
            assert rank(target) < rank(name), (
                f"{name}:{line} imports {target}, which stands beside or below it in LAYERS"
            )


@pytest.mark.parametrize("name", [name for name in MODULES if is_pure(name)])
def test_pure_stage_file_does_no_io(name: str) -> None:
    for target, line in imports(name):
        assert target not in SHELLS, f"{name}:{line} is pure and imports the shell {target}"
        forbidden = IO - VOCABULARY.get(area(name), set())
        assert target.split(".")[0] not in forbidden, (
            f"{name}:{line} imports {target}: keep it pure, or name it in SHELLS"
        )


def test_tables_name_nothing_that_is_gone() -> None:
    gone = {part for line in LAYERS for part in line} - {area(name) for name in MODULES}
    assert not gone, f"LAYERS names what is not in scraper/: {gone}"
    assert not SHELLS - set(MODULES), f"SHELLS names what is not in scraper/: {SHELLS - set(MODULES)}"


POOL = {"scraper.parse.pool", "scraper.parse.link"}
"""What of parse/ runs in the main process."""


def test_parse_worker_starts_without_heavy_modules() -> None:
    names = [name for name in MODULES if area(name) in ("parse", "work") and name not in POOL]
    code = f"import sys, {', '.join(names)}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [], "a parse worker would load these; import them where they are used"
