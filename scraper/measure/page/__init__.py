"""Pages of HTML that need nothing but themselves, and the charts on them."""
