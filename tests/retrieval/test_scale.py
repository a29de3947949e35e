"""Thousands of jobs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hyp3_server import make_job

from .products import granule, product_name

JOBS = 5000
LARGEST_MEMORY = 300 * 10**6

# The peak of a process is known to the process only, so it runs its job and then tells. Linux
# counts the memory of pytest, from which it was forked, into ru_maxrss, but not into VmHWM.
SCRIPT = """
import json, pathlib, re, resource, sys
sys.path.insert(0, {root!r})
import tests.checkout
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import find_jobs
job = json.load(sys.stdin)
outputs = find_jobs.run(job["parameters"], job["credentials"], SilentReporter())
if sys.platform == "linux":
    status = pathlib.Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status).group(1)) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([outputs["COUNT"], peak]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the module resource")
def test_five_thousand_jobs(service, credentials, tmp_path):
    service.page_size = 500
    options = {"looks": "20x4", "include_look_vectors": True, "include_dem": True}
    for index in range(JOBS):
        service.add(
            make_job(
                product_name(index % 3000, index),
                granules=[granule(index % 3000), granule(index % 3000 + 1)],
                project=f"project {index % 10}",
                size=264_733_412,
                options=options,
                ascending=True,
            )
        )
    root = str(Path(__file__).resolve().parents[2])
    parameters = {
        "API_URL": service.url,
        "WORK_FOLDER": str(tmp_path),
        "START": "2021-04-01",
        "PATHS": "5",
        "DIRECTION": "ascending",
        "EXTENT": "-117.9,-117.8,35.1,35.2 [EPSG:4326]",
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(root=root)],
        input=json.dumps({"parameters": parameters, "credentials": credentials}),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    count, peak = json.loads(run.stdout)
    assert JOBS - 10 < count < JOBS
    assert peak < LARGEST_MEMORY
    assert len(service.log.of("api")) == 10
    asked = service.log.of("catalog")
    names = [
        value for entry in asked for key, value in entry.form if key == "readable_granule_name[]"
    ]
    assert set(names) == {
        name
        for feature in json.loads((tmp_path / "jobs.geojson").read_text())["features"]
        for name in (
            feature["properties"]["reference_scenes"],
            feature["properties"]["secondary_scenes"],
        )
    }
