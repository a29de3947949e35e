"""Reads freshly built stacks with other people's programs: ``make test-readers``."""
