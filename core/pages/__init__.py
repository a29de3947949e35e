"""Web pages that describe a result: one HTML file that needs nothing else."""
