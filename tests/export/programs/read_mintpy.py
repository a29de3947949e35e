"""What MintPy finds in a folder, as JSON; runs in MintPy's environment.

``python read_mintpy.py FOLDER LATITUDE LONGITUDE`` prints row and column of a point, the center of
that pixel in the CRS of the files, and the velocity there, by MintPy's own conversions.
"""

import json
import sys
from pathlib import Path

import mintpy
from mintpy.objects.coord import coordinate
from mintpy.utils import readfile


def main() -> None:
    """Read ``velocity.h5``."""
    folder, latitude, longitude = Path(sys.argv[1]), *map(float, sys.argv[2:])
    velocity, attributes = readfile.read(str(folder / "velocity.h5"), datasetName="velocity")
    place = coordinate(attributes)
    row, column = place.lalo2yx(latitude, longitude)
    y, x = place.yx2lalo(row, column)
    found = {
        "version": mintpy.__version__,
        "pixel": [int(row), int(column)],
        "center": [float(x), float(y)],
        "velocity": float(velocity[row, column]),
        "reference": [int(attributes["REF_Y"]), int(attributes["REF_X"])],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
