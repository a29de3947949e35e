"""Re-reads a written stack and checks it against conventions and CEOS-ARD requirements."""
