"""All groups by name.

Each has ``SHARE`` (percent of all inputs), ``inputs()`` (a strategy of JSON values),
``prepare(folder, here)`` (makes what its inputs are made of), and ``run(folder, here, recipe)``,
which makes an input in the empty folder ``here``, gives it to jobs, and returns the outcome.
"""

from __future__ import annotations

from . import answers, headers, jobs, names, orders, records, stacks, texts, zips

GROUPS = {
    module.__name__.rpartition(".")[2]: module
    for module in (names, texts, jobs, answers, orders, headers, zips, records, stacks)
}
