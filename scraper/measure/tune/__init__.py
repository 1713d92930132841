"""`scraper tune`: a search for the settings that make some pages fastest."""
