"""A campaign of hostile inputs, seeded and bounded: ``make test-faults``.

Each group of inputs is a module: what may be wrong with an input, as a Hypothesis strategy of plain
JSON values, how such an input is made, which job it is given to, and what the truth is. Inputs are
handled by processes that a process of its own forks, so that a crash, a hang or want of memory is
that of one input.
"""
