"""The fetch stage: one request at a time, from a job to a page, a redirect or a fault."""
