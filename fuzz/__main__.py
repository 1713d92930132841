"""`python -m fuzz NAME [SECONDS]`: run one harness under atheris. What fails is left in tests/fuzz_cases/NAME."""

import importlib
import sys
import tempfile
from pathlib import Path

import atheris

from fuzz import HARNESSES

CASES = Path(__file__).parents[1] / "tests" / "fuzz_cases"
MOST_BYTES = 4096
"""Of one input. Longer ones are made by repeating: see `shaping.grown`."""
HANG_S = 20
MEMORY_MIB = 2048


def main(arguments: list[str]) -> None:
    """Fuzz until the time is over; exits with another code than 0 where something was found."""
    if len(arguments) not in (1, 2) or arguments[0] not in HARNESSES:
        sys.exit(f"usage: python -m fuzz NAME [SECONDS], NAME one of: {', '.join(HARNESSES)}")
    name, seconds = arguments[0], int(arguments[1]) if len(arguments) == 2 else 30
    with atheris.instrument_imports(include=["scraper"]):
        harness = importlib.import_module(f"fuzz.{name}")
    cases = CASES / name
    cases.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(harness.SEEDS):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        options = [f"-max_total_time={seconds}", f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MIB}"]
        options += [f"-max_len={MOST_BYTES}", f"-artifact_prefix={cases}/", "-verbosity=0", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, corpus, str(cases)], harness.check)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
