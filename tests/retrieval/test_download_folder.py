"""Folders that products cannot be brought to: in use, without locks, no folders, not readable."""

import errno
import sys

import pytest

from hyp3_stack.core.errors import InvalidParameterError, OutputError, RetrievalError
from hyp3_stack.core.retrieval.download.folder import PARTIAL_FOLDER, DownloadFolder
from tests.hyp3_server import Fault


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


def test_file_that_is_not_ours_is_never_overwritten(stack, download):
    job = stack.add_one(0)
    job.record["files"][0].update(filename="notes.nc", size=5)
    stack.service.faults.add(job.archive.name, Fault(times=-1, content=b"other", kind="x/y"))
    download.folder.mkdir()
    mine = download.folder / "notes.nc"
    mine.write_text("mine!")
    with pytest.raises(RetrievalError, match="notes.nc is in the way and not from a former run"):
        download()
    assert mine.read_text() == "mine!" and download.leftovers() == []
    mine.unlink()
    assert download()["DOWNLOADED"] == 1 and mine.read_text() == "other"
