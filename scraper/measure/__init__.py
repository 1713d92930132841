"""Measuring runs: reports, comparisons of models, tuning. Runs are started as a user would start them."""
