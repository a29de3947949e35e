"""Says what is wrong with values that only their meaning shows, or with several together."""

from pathlib import Path

from ...core.errors import StackError
from ...core.object_store.address import is_address, parse_address


def check_product_folder(values):
    """Return a sentence where the folder of products does not exist."""
    folder = values.text("INPUT")
    if folder and not Path(folder).expanduser().is_dir():
        return f"INPUT is {folder}, but there is no such folder."
    return ""


def check_stack(values):
    """Return a sentence where there is no stack at INPUT, or its address is none."""
    path = (values.text("INPUT") or "").strip()
    if is_address(path):
        return check_address(values, "INPUT")
    if path and not Path(path).expanduser().exists():
        return f"INPUT is {path}, but there is nothing of that name."
    return ""


def check_period(values):
    """Return a sentence where START lies after END."""
    start, end = values.day("START"), values.day("END")
    if start and end and end < start:
        return f"START ({start}) lies after END ({end}); swap them."
    return ""


def check_stack_files(values):
    """Return a sentence where no output was chosen, or one that cannot be shown or reached."""
    netcdf = values.text("NETCDF") or ""
    if netcdf and '"' in str(Path(netcdf).absolute()):
        return (
            f"NETCDF is {netcdf}, but GDAL opens no layer of a NetCDF file with a double quote in "
            "its path; give another name or folder."
        )
    if any(values.given(name) for name in ("NETCDF", "ZARR", "ZARR_URL")):
        return check_address(values, "ZARR_URL")
    return "There is nothing to write: choose a NETCDF file, a ZARR store or a ZARR_URL."


def address_of(values, name):
    """Return the place in an object store that a parameter names, or None; raises StackError."""
    text = (values.text(name) or "").strip()
    return _parsed(values, name) if is_address(text) else None


def check_address(values, name):
    """Return a sentence where a parameter names no place in an object store."""
    try:
        if values.given(name):
            _parsed(values, name)
    except StackError as error:
        return str(error)
    return ""


def _parsed(values, name):
    endpoint, profile = values.text("S3_ENDPOINT"), values.text("S3_PROFILE")
    return parse_address(values.text(name).strip(), endpoint, profile, name)
