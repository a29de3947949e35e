"""The report of an inversion: a web page with plots."""
