"""What GDAL has to know to read from S3-compatible object stores.

GDAL reads ``/vsis3/bucket/key`` with credentials that it finds itself, in the same environment
variables and files as the core process. It does not know the variables and entries for the address
of a service other than Amazon's, nor a profile for one bucket only: those are set here.
"""

import os
from configparser import ConfigParser, Error
from pathlib import Path
from urllib.parse import urlsplit

from osgeo import gdal
from qgis.core import QgsSettings

from ...core.object_store.address import endpoint_of_environment

_SETTINGS = "hyp3_stack/object_stores"
_FOREVER = {
    # Each chunk is an object: a list of all that lie beside it is long and of no use.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MAX_RETRY": "5",
    "GDAL_HTTP_RETRY_DELAY": "1",
}
_ENTRIES = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_options = {}
_OPTIONS = ("AWS_S3_ENDPOINT", "AWS_HTTPS", "AWS_VIRTUAL_HOSTING", "AWS_PROFILE", "AWS_REGION")


def connect(address):
    """Let GDAL find the bucket of an address, in this session and in those to come."""
    _remember(address)
    _configure_gdal(address.bucket, address.endpoint, address.profile)
    # A stack that was written a moment ago may have been looked for before.
    gdal.VSICurlPartialClearCache(address.gdal_path)


def connect_remembered():
    """Let GDAL find the buckets of earlier sessions, whose layers projects may hold."""
    settings = QgsSettings()
    settings.beginGroup(_SETTINGS)
    try:
        for bucket in settings.childGroups():
            endpoint = settings.value(f"{bucket}/endpoint", "", type=str)
            profile = settings.value(f"{bucket}/profile", "", type=str)
            _configure_gdal(bucket, endpoint or None, profile or None)
    finally:
        settings.endGroup()


def options_of_stores():
    """Return what GDAL was given for buckets, by path prefix and name: another process needs it."""
    return _options


def why_unreadable(path):
    """Return the reason why GDAL cannot read a file, empty where it can.

    Public buckets are read without credentials where there are none.
    """
    reason = _try(path)
    if "AWS_NO_SIGN_REQUEST" in reason:
        bucket = "/".join(str(path).split("/")[:3])
        _set(bucket, "AWS_NO_SIGN_REQUEST", "YES")
        if _try(path):
            _set(bucket, "AWS_NO_SIGN_REQUEST", None)
            return "there are no credentials; set S3_PROFILE or what AWS tools use"
        return ""
    return reason


def read_bytes(path):
    """Return the content of a small file, on disk or in an object store; empty if there is none."""
    file = gdal.VSIFOpenL(str(path), "rb")
    if file is None:
        return b""
    try:
        gdal.VSIFSeekL(file, 0, os.SEEK_END)
        size = gdal.VSIFTellL(file)
        gdal.VSIFSeekL(file, 0, os.SEEK_SET)
        return bytes(gdal.VSIFReadL(1, size, file) or b"")
    finally:
        gdal.VSIFCloseL(file)


def _try(path):
    gdal.VSIErrorReset()
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        file = gdal.VSIFOpenExL(str(path), "rb", 1)
    except RuntimeError as error:  # where somebody has turned on GDAL's exceptions
        return str(error)
    finally:
        gdal.PopErrorHandler()
    if file is None:
        return gdal.VSIGetLastErrorMsg().strip().rstrip(".") or "nothing is there"
    gdal.VSIFCloseL(file)
    return ""


def _remember(address):
    settings = QgsSettings()
    key = f"{_SETTINGS}/{address.bucket}"
    settings.remove(key)
    if address.endpoint or address.profile:
        settings.setValue(f"{key}/endpoint", address.endpoint or "")
        settings.setValue(f"{key}/profile", address.profile or "")


def _configure_gdal(bucket, endpoint, profile):
    prefix = f"/vsis3/{bucket}"
    entries = _profile_entries(profile or os.environ.get("AWS_PROFILE") or "default")
    endpoint = endpoint or endpoint_of_environment() or entries.get("endpoint_url")
    wanted = dict.fromkeys((*_OPTIONS, *(entry.upper() for entry in _ENTRIES)))
    if endpoint:
        parts = urlsplit(endpoint)
        wanted["AWS_S3_ENDPOINT"] = f"{parts.netloc}{parts.path}".rstrip("/")
        wanted["AWS_HTTPS"] = "YES" if parts.scheme == "https" else "NO"
        wanted["AWS_VIRTUAL_HOSTING"] = "FALSE"
    if profile:
        # GDAL prefers keys in the environment to a profile, and knows fewer places of the files.
        wanted["AWS_PROFILE"] = profile
    if profile or "AWS_ACCESS_KEY_ID" not in os.environ:
        wanted.update({entry.upper(): entries.get(entry) for entry in _ENTRIES})
        wanted["AWS_REGION"] = entries.get("region")
    for name, value in {**wanted, **_FOREVER}.items():
        _set(prefix, name, value)


def _set(prefix, name, value):
    _options.setdefault(prefix, {})[name] = value
    if hasattr(gdal, "SetPathSpecificOption"):
        gdal.SetPathSpecificOption(prefix, name, value)
    elif value is not None:  # before GDAL 3.6
        gdal.SetConfigOption(name, value)


def _profile_entries(profile):
    """Return what the files of the AWS tools hold on a profile."""
    found = {}
    for variable, name, section in (
        ("AWS_CONFIG_FILE", "config", profile if profile == "default" else f"profile {profile}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile),
    ):
        path = Path(os.environ.get(variable) or Path("~/.aws") / name).expanduser()
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (Error, OSError, UnicodeDecodeError):
            continue  # Whoever needs the profile says so when it is missing.
        if parser.has_section(section):
            found.update(parser.items(section))
    return found
