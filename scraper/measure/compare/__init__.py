"""`scraper compare`: the models in turn on the same pages, and which to choose."""
