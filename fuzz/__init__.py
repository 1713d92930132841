"""Coverage-guided fuzzing of what reads other people's bytes: one harness a file, each with the property it holds.

`make fuzz SECONDS=30` runs all, `python -m fuzz NAME SECONDS` one. A harness is plain Python: `check(data)` returns, or
raises AssertionError where the property fails. What was found is kept in tests/fuzz_cases/NAME and run with the tests,
which need no fuzzer.
"""

HARNESSES = ("charset", "url", "retry_after", "coding", "sources", "robots")
