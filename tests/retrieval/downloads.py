"""Runs of hyp3:downloadproducts, and what they have to leave."""

import json
import zipfile
from pathlib import Path

from hyp3_stack.core.retrieval.download.folder import PARTIAL_FOLDER
from hyp3_stack.core.retrieval.download.manifest import MANIFEST_NAME
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.run.worker import run_task
from hyp3_stack.core.tasks import download_products


class Runs:
    """Runs of the same download."""

    def __init__(self, parameters, credentials):
        self.parameters, self.credentials = parameters, credentials
        self.folder = Path(parameters["OUTPUT"])
        self.reporter = SilentReporter()

    def __call__(self, **more):
        self.reporter = SilentReporter()
        parameters = {**self.parameters, **more}
        return run_task(download_products, parameters, self.credentials, self.reporter)

    @property
    def manifest(self):
        return json.loads((self.folder / MANIFEST_NAME).read_text())["files"]

    def leftovers(self):
        return [
            path.name for path in (self.folder / PARTIAL_FOLDER).iterdir() if path.name != "lock"
        ]

    def visible(self):
        hidden = (PARTIAL_FOLDER, MANIFEST_NAME)
        return sorted(path.name for path in self.folder.iterdir() if path.name not in hidden)


def assert_complete(folder, job):
    """Compare an unpacked product with the archive that the server has."""
    with zipfile.ZipFile(job.archive) as archive:
        for name in archive.namelist():
            assert (folder / name).read_bytes() == archive.read(name)
