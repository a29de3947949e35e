"""Serves a folder of product archives until it is stopped: ``python -m tests.hyp3_server``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from .records import as_ordered, jobs_from_archives
from .service import Hyp3Service


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hyp3_server", description=__doc__)
    parser.add_argument("--products", type=Path, required=True, help="folder of product zips")
    parser.add_argument("--port", type=int, default=0, help="port of the API, 0 for any free one")
    parser.add_argument("--project", default="sample", help="project name of the jobs")
    parser.add_argument(
        "--pending",
        action="store_true",
        help="jobs are pending at first, and each listing takes them a step on",
    )
    parser.add_argument(
        "--environment", type=Path, help="file for API_URL, token and variables, as KEY=VALUE lines"
    )
    arguments = parser.parse_args()
    archives = list(arguments.products.glob("*.zip"))
    if not archives:
        parser.error(f"there are no zips in {arguments.products}")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Hyp3Service(arguments.port) as service:
        jobs = jobs_from_archives(archives, arguments.project)
        service.add(*(map(as_ordered, jobs) if arguments.pending else jobs))
        done = {job.job_id: job for job in jobs}
        service.process = lambda job: done[job.job_id]
        values = {
            "API_URL": service.url,
            "EARTHDATA_TOKEN": service.accounts.token(service.user.name, 86400.0),
            **service.environment,
        }
        if arguments.environment:
            # Complete when it appears, so that a script can wait for it.
            partial = arguments.environment.with_name(arguments.environment.name + ".part")
            partial.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
            partial.replace(arguments.environment)
        shown = {"url": service.url, "catalog": service.catalog_url, "jobs": len(archives)}
        print(json.dumps(shown), flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
