"""MintPy's weighted inversion of a network, and the velocity of its series."""

from __future__ import annotations

import os
import sys

from mintpy.cli import ifgram_inversion, timeseries2velocity


def main() -> None:
    """Invert ``inputs/ifgramStack.h5`` of a folder with weights of some kind."""
    os.chdir(sys.argv[1])
    ifgram_inversion.main(["inputs/ifgramStack.h5", "--weight-func", sys.argv[2]])
    timeseries2velocity.main(["timeseries.h5", "--output", "velocity.h5"])


if __name__ == "__main__":
    main()
