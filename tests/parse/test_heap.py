"""Whether the memory of one page serves the next."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from selectolax.lexbor import LexborHTMLParser
from scraper.parse.heap import keep_freed
if sys.argv[1] == "kept":
    keep_freed()
body = b"<div><p>some text <a href='/x'>here</a></p></div>" * 600
def faults(pages):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pages):
        LexborHTMLParser(body)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / pages
faults(5)
print(faults(100))
"""


def faults_a_page(how: str) -> float:
    return float(subprocess.check_output([sys.executable, "-c", FAULTS, how], timeout=60))


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's setting")
def test_a_tree_takes_the_memory_of_the_last_one():
    import ctypes

    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("another C library than glibc")
    assert faults_a_page("kept") < 3
    assert faults_a_page("as it is") > 50, "it keeps memory by itself now: keep_freed is not needed any more"
