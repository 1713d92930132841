"""Whether the memory of one page serves the next."""

import platform
import subprocess
import sys

import pytest

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")

FAULTS = """
import ctypes, resource, sys
from selectolax.lexbor import LexborHTMLParser
from scraper.parse.heap import keep_freed
for threshold in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD: what glibc begins with, before it adapts them
    ctypes.CDLL(None).mallopt(threshold, 128 * 1024)
if sys.argv[1] == "kept":
    keep_freed()
body = b"<div><p>some text <a href='/x'>here</a></p></div>" * 600
def faults(pages):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pages):
        LexborHTMLParser(body)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / pages
held = [LexborHTMLParser(body) for _ in range(50)]  # they fill the holes that imports have left: the next lie on top
faults(5)
print(faults(100))
"""


HELD = """
import sys
from pathlib import Path
from selectolax.lexbor import LexborHTMLParser
from scraper.parse.heap import give_back, keep_freed
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
keep_freed()
body = b"<div><p>some text <a href='/x'>here</a></p></div>" * 20_000
trees = [LexborHTMLParser(body) for _ in range(4)]
full = resident()
del trees[:3]  # the last one lies above the holes that they leave
if sys.argv[1] == "given back":
    give_back()
print(full - resident())
"""


def faults_a_page(how: str) -> float:
    return float(subprocess.check_output([sys.executable, "-c", FAULTS, how], timeout=60))


@glibc
def test_a_tree_takes_the_memory_of_the_last_one():
    """Against the thresholds that glibc begins with: by itself it raises them once something large was freed."""
    assert faults_a_page("kept") < 3
    assert faults_a_page("as it is") > 50, "it keeps memory by itself now: keep_freed is not needed any more"


def freed_by(how: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", HELD, how], timeout=60))


@glibc
def test_what_large_pages_took_goes_back_also_from_below_what_is_in_use():
    assert freed_by("given back") > 3 * freed_by("as it is") + 10_000_000
