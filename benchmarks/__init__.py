"""How fast the tool is, beside others that do the same job: `make bench`. Nothing here is part of the package.

pages.py ─► servers.py ─► contenders/ (run by tree.py) ─► rows.py ─► results.py ─► table.py, plot.py, targets.py
            (nginx)       one process tree each           the same    figures     docs/benchmarks.md and .svg
                                                          titles?
"""
