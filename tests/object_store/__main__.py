"""Runs the service for tests in another interpreter: tells its address, ends with its input.

``python -m tests.object_store [FOLDER KEY]...`` copies folders to keys first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.object_store.service import BUCKET, CREDENTIALS, running_service


def main(arguments: list[str]) -> None:
    with running_service() as service:
        for folder, key in zip(arguments[::2], arguments[1::2], strict=True):
            service.upload(Path(folder), key)
        facts = {"endpoint": service.endpoint, "bucket": BUCKET, "credentials": CREDENTIALS}
        print(json.dumps(facts), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
