"""`scraper report`: a page about a run."""
