"""Prints the table of a campaign."""

from .outcomes import table

print(table())
