"""A core process whose task ``check`` does what its parameter BEHAVIOR names.

Everything around the task is the real thing: reading the job, the channel, signals, exit codes.
"""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import tests.checkout  # noqa: E402, F401 - registers the package hyp3_stack
from hyp3_stack.core.errors import ProductError  # noqa: E402
from hyp3_stack.core.run.ending import CANCEL_SECONDS  # noqa: E402
from hyp3_stack.core.run.reporter import complete, stop_if_canceled  # noqa: E402
from hyp3_stack.core.run.worker import main  # noqa: E402


def echo(parameters, credentials, reporter):
    return {"PARAMETERS": dict(parameters), "HAS_CREDENTIALS": credentials is not None}


def messages(parameters, credentials, reporter):
    for percent in (0, 50, 40, float("nan"), 120):
        reporter.progress(percent)
    reporter.info("an information")
    reporter.warning("a warning\nin two lines")
    return {}


def many_threads(parameters, credentials, reporter):
    def talk(number):
        for line in range(200):
            reporter.info(f"{number} {line} " + "x" * 5000)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {}


def noise(parameters, credentials, reporter):
    print("printed by Python")
    os.write(1, b"written below Python\n")
    subprocess.run(["sh", "-c", "echo written by a child"], check=True, timeout=60)
    return {"OK": True}


def odd_values(parameters, credentials, reporter):
    from datetime import datetime

    import numpy as np

    return {
        "NAN": float("nan"),
        "INF": np.float32("inf"),
        "INTEGER": np.int64(7),
        "ARRAY": np.array([1.5, np.nan]),
        "PATH": Path("/a/b"),
        "TIME": datetime(2021, 2, 3, 4, 5, 6),
        "SET": {"one"},
    }


def leak(parameters, credentials, reporter):
    reporter.info(f"the password is {credentials['password']}")
    print(f"on stderr: {credentials['password']}", file=sys.stderr)
    raise ProductError(f"{credentials['username']} may not, with {credentials['password']}")


def leak_in_traceback(parameters, credentials, reporter):
    raise ValueError(f"401 for https://host/?token={credentials['password']}")


def product_error(parameters, credentials, reporter):
    raise ProductError("The product X is damaged; download it again.")


def strange_text(parameters, credentials, reporter):
    raise ProductError(f"The product a\nb\u202ec is damaged {'x' * 20_000}.")


def defect(parameters, credentials, reporter):
    return {}["nothing here"]


def memory(parameters, credentials, reporter):
    raise MemoryError


def disk_full(parameters, credentials, reporter):
    raise OSError(errno.ENOSPC, "No space left on device", "/data/stack.nc")


def denied(parameters, credentials, reporter):
    raise PermissionError(errno.EACCES, "Permission denied", "/data/stack.nc")


def broken_disk(parameters, credentials, reporter):
    raise OSError(errno.EIO, "Input/output error", "/data/stack.nc")


def missing_package(parameters, credentials, reporter):
    import a_package_that_does_not_exist  # noqa: F401


def wait_for_cancel(parameters, credentials, reporter):
    reporter.info("waiting")
    partial = Path(parameters["PARTIAL"]) if "PARTIAL" in parameters else None
    try:
        if partial:
            partial.write_text("half")
        while True:
            stop_if_canceled(reporter)
            if "TALK" in parameters:
                reporter.info("still here")
            time.sleep(0.01)
    finally:
        if partial:
            partial.unlink()


def deaf(parameters, credentials, reporter):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    reporter.info(f"pid {os.getpid()}")
    while True:
        time.sleep(0.05)


def busy(parameters, credentials, reporter):
    # As a library that nobody can interrupt; the control thread still runs.
    reporter.info("waiting")
    time.sleep(600)


def busy_threads(parameters, credentials, reporter):
    # The interpreter waits for the threads of a pool before it ends.
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(time.sleep, 600)
        reporter.info("waiting")
        while True:
            stop_if_canceled(reporter)
            time.sleep(0.01)


def completing(parameters, credentials, reporter):
    complete(reporter)
    reporter.info("waiting")
    # Longer than a canceled run is let live, as removing what stood there before may take.
    time.sleep(2 * CANCEL_SECONDS)
    return {"COMPLETE": True, "CANCELED": reporter.canceled()}


def stubborn(parameters, credentials, reporter):
    try:
        reporter.info("waiting")
        while not reporter.canceled():
            time.sleep(0.01)
        reporter.info("asked to stop")
        while True:
            time.sleep(0.05)
    finally:
        Path(parameters["CLEANED"]).write_text("cleaned up")


def killed(parameters, credentials, reporter):
    print("last words", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGKILL)


def crash(parameters, credentials, reporter):
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(parameters, credentials, reporter):
    print("about to leave", file=sys.stderr, flush=True)
    os._exit(3)


def linger(parameters, credentials, reporter):
    # A child that keeps the pipes open after the core has ended.
    subprocess.Popen(["sleep", "30"], stdout=sys.__stdout__, stderr=2)
    return {"OK": True}


def chatter(parameters, credentials, reporter):
    os.write(2, b"0123456789abcdef\n" * 200_000)
    return {"OK": True}


def run(parameters, credentials, reporter):
    return globals()[parameters["BEHAVIOR"]](parameters, credentials, reporter)


if __name__ == "__main__":
    sys.modules["hyp3_stack.core.tasks.check"] = sys.modules["__main__"]
    # `python -X faulthandler FOLDER` is how the QGIS side starts the core; there are no arguments.
    sys.exit(main([]))
