"""Files that cannot be read: whose fault it is, and what helps."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rasterio.errors import CRSError, RasterioIOError

from hyp3_stack.core.errors import MachineError, ProductError, StackError, keeps_partial_output
from hyp3_stack.core.inputs.read_errors import limit_error, reading_error, words
from hyp3_stack.core.machine.atomic import not_writable
from hyp3_stack.core.machine.stamps import find_change, take_stamps
from tests.checkout import ROOT
from tests.running import assert_one_sentence, copy_products, pack_product
from tests.sample_products import SampleStack

pytestmark = pytest.mark.faults

DAMAGED = "The layer corr of NAME is damaged and cannot be read; retrieve the product again."


def error_for(path: Path, error: BaseException) -> StackError:
    found = reading_error("The layer corr of NAME", path, error, "NAME", DAMAGED)
    assert_one_sentence(str(found))
    return found


@pytest.mark.parametrize(
    ("number", "clue"),
    [
        (errno.EMFILE, "ulimit -n"),
        (errno.ENFILE, "the system has as many files open as it may"),
        (errno.ENOMEM, "too little memory"),
        (errno.EIO, "the disk or network folder that holds it failed"),
        (errno.ETIMEDOUT, "the disk or network folder that holds it failed"),
        (errno.ESTALE, "mount it again"),
    ],
)
def test_errors_of_the_machine_are_no_fault_of_a_product(
    tmp_path: Path, number: int, clue: str
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"x")
    text = os.strerror(number)
    for error in (
        OSError(number, text, str(path)),
        RasterioIOError(f"{path}: {text}"),  # GDAL gives no number
    ):
        found = error_for(path, error)
        assert isinstance(found, MachineError) and clue in str(found)
        assert "retrieve" not in str(found) and "damaged" not in str(found)
        assert keeps_partial_output(found)


@pytest.mark.parametrize("folder", ["/data", "/data/my products", f"/data/{'x' * 300}"])
def test_messages_are_told_without_the_path(folder: str) -> None:
    flaw = "not recognized as being in a supported file format."
    assert words(RasterioIOError(f"'{folder}/a_corr.tif' {flaw}")) == flaw[:-1]
    assert words(RasterioIOError(f"{folder.replace(' ', '_')}/a.tif: No such file")) == (
        "No such file"
    )


def test_what_gdal_does_not_tell_is_asked_for(tmp_path: Path) -> None:
    told = RasterioIOError("Read failed. See previous exception for details.")
    whole = tmp_path / "a.tif"
    whole.write_bytes(b"x" * 1000)
    found = error_for(whole, told)
    assert isinstance(found, ProductError) and str(found) == DAMAGED
    gone = error_for(tmp_path / "b.tif", told)
    assert isinstance(gone, ProductError) and "is gone" in str(gone)
    link = tmp_path / "c.tif"
    link.symlink_to(link)
    assert str(error_for(link, told)) == DAMAGED


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    found = error_for(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    assert isinstance(found, ProductError) and found.product == "NAME"
    assert f"permission to read {path}" in str(found)


def test_want_of_memory_that_gdal_or_numpy_tells(tmp_path: Path) -> None:
    assert isinstance(error_for(tmp_path, MemoryError()), MachineError)
    try:
        raise RasterioIOError("Read failed.") from MemoryError()
    except RasterioIOError as error:
        assert "too little memory" in str(error_for(tmp_path, error))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit for a process")
def test_too_many_files_for_the_database_of_proj(tmp_path: Path) -> None:
    """PROJ gives no number either, and what it says is no fault of a product."""
    import resource

    path = tmp_path / "a.tif"
    path.write_bytes(b"x")
    stamps = take_stamps([path])
    told = CRSError("The EPSG code is unknown. PROJ: proj_create: Cannot find proj.db")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, before[1]))
    try:
        found = [error_for(path, told), limit_error("a.tif", told)]
        change = find_change(stamps)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    for error in found:
        assert isinstance(error, MachineError) and "ulimit -n 4096" in str(error)
    assert not change
    assert isinstance(error_for(path, told), ProductError)
    refused = not_writable(path, OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    assert "ulimit -n 4096" in str(refused) and "permissions" not in str(refused)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit for a process")
@pytest.mark.parametrize(
    ("task", "packing"), [("buildstack", "folders"), ("harmonizeproducts", "zips")]
)
def test_no_product_is_left_out_for_want_of_files(
    small: SampleStack, tmp_path: Path, packing: str, task: str
) -> None:
    """With so few that some products can be read and others cannot, or PROJ its database."""
    import resource

    folders = copy_products(small, tmp_path / "in")
    if packing == "zips":
        for folder in folders:
            pack_product(folder)
    outputs = {
        "buildstack": {"NETCDF": "s.nc", "ON_BAD_PRODUCT": "skip"},
        "harmonizeproducts": {"OUTPUT": "out"},
    }
    parameters = {"INPUT": "in", **outputs[task]}
    for name in ("INPUT", "NETCDF", "OUTPUT"):
        if name in parameters:
            parameters[name] = str(tmp_path / parameters[name])
    job = json.dumps({"protocol": 1, "task": task, "parameters": parameters})
    done = subprocess.run(
        [sys.executable, str(ROOT / "core")],
        input=job,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10)),
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode != 0
    assert "ulimit -n 4096" in messages[-1]["text"]
    assert not [item for item in messages if "Left out" in str(item.get("text"))]
    assert not (tmp_path / "out").is_file()
