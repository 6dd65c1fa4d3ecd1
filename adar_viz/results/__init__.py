"""Results: every comparison of a manifest, run one by one, kept as small tables, and written as one page."""
