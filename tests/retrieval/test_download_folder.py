"""Folders that products cannot be brought to: in use, without locks, no folders, not readable."""

import errno
import sys

import pytest

from hyp3_stack.core.errors import InvalidParameterError, OutputError
from hyp3_stack.core.retrieval.folder import PARTIAL_FOLDER, DownloadFolder
from hyp3_stack.core.retrieval.manifest import MANIFEST_NAME


def test_two_runs_in_one_folder(stack, download):
    stack.add_one(0)
    with (
        DownloadFolder(download.folder).locked(),
        pytest.raises(OutputError, match="Another run is downloading"),
    ):
        download()


def test_folder_whose_lock_cannot_be_written(stack, download):
    stack.add_one(0)
    (download.folder / PARTIAL_FOLDER / "lock").mkdir(parents=True)
    with pytest.raises(OutputError, match=rf"{PARTIAL_FOLDER} cannot be written \("):
        download()


@pytest.mark.skipif(sys.platform == "win32", reason="locks of another kind")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_folder_on_a_file_system_without_locks(stack, download, monkeypatch, code):
    import fcntl

    def no_locks(*_):
        raise OSError(code, "there are no locks")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    stack.add_one(0)
    with (
        DownloadFolder(download.folder).locked(),
        pytest.raises(OutputError, match="Another run is downloading"),
    ):
        download()
    assert download()["DOWNLOADED"] == 1
    assert not list((download.folder / PARTIAL_FOLDER).glob("lock.*"))


def test_output_that_is_a_file(stack, download, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidParameterError, match="has to be a folder"):
        download(OUTPUT=str(tmp_path / "file"))


def test_unreadable_manifest(stack, download):
    stack.add_one(0)
    download.folder.mkdir()
    (download.folder / MANIFEST_NAME).write_text("{")
    with pytest.raises(OutputError, match="cannot be read"):
        download()
