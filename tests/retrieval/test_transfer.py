"""One file over a connection that breaks in every way."""

import math
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from hyp3_stack.core.errors import Canceled, OutputError, RetrievalError
from hyp3_stack.core.retrieval.connection import download_session
from hyp3_stack.core.retrieval.patience import RetryPolicy, retry_after
from hyp3_stack.core.retrieval.session import NotFoundError
from hyp3_stack.core.retrieval.transfer import StaleFileError, Transfer
from tests.hyp3_server import Fault

QUICK = RetryPolicy(attempts=3, first_delay=0.01, longest_delay=0.02, longest_request=5.0)


class OneFile:
    """A file on the server and where it goes."""

    def __init__(self, stack, folder):
        self.service = stack.service
        self.job = stack.add_one(0, size=200_000)
        self.name = self.job.archive.name
        self.data = self.job.archive.read_bytes()
        self.url = f"{self.service.url}/{self.job.job_id}/{self.name}"
        self.part = folder / "file.part"
        self.received = 0
        self.stop = threading.Event()
        self.stop_after = math.inf

    def fetch(self, size=..., policy=QUICK):
        def count(number):
            self.received += number
            if self.received >= self.stop_after:
                self.stop.set()

        with download_session() as session:
            transfer = Transfer(session, policy, self.stop, count)
            return transfer.fetch(self.url, self.part, len(self.data) if size is ... else size)

    def faults(self, *faults):
        self.service.faults.add(self.name, *faults)

    @property
    def requests(self):
        return self.service.log.files(self.name)


@pytest.fixture
def file(stack, tmp_path):
    return OneFile(stack, tmp_path)


def test_whole(file):
    origin = file.fetch()
    assert file.part.read_bytes() == file.data
    assert origin.size == len(file.data) == file.received and origin.etag


def test_complete_part_is_not_asked_for_again(file):
    file.fetch()
    file.fetch()
    assert len(file.requests) == 1


def test_cut_connection_is_continued_at_the_byte(file):
    file.faults(Fault(cut_after=100_000), Fault(cut_after=70_001))
    file.fetch()
    assert file.part.read_bytes() == file.data
    assert [entry.start for entry in file.requests] == [0, 100_000, 170_001]
    assert all(entry.if_range for entry in file.requests[1:])
    assert sum(entry.sent for entry in file.requests) == len(file.data) == file.received


def test_progress_starts_the_attempts_anew(file):
    file.faults(*[Fault(cut_after=70_000) for _ in range(5)])
    file.fetch()
    assert file.part.read_bytes() == file.data


def test_connection_that_never_gets_anywhere(file):
    file.faults(Fault(times=-1, cut_after=10))
    with pytest.raises(RetrievalError, match=r"3 attempts \(the connection broke\)"):
        file.fetch()
    assert len(file.requests) == 3


def test_file_replaced_on_the_server_starts_again(file, stack):
    file.faults(Fault(cut_after=100_000))
    with pytest.raises(RetrievalError):
        file.fetch(policy=RetryPolicy(attempts=1))
    changed = bytes([file.data[0] ^ 1]) + file.data[1:]
    file.job.archive.write_bytes(changed)
    file.fetch()
    assert file.part.read_bytes() == changed
    assert file.requests[-1].status == 200 and file.requests[-1].start == 100_000


def test_part_of_unknown_origin_is_not_trusted(file):
    file.part.write_bytes(b"x" * 100)
    file.fetch()
    assert file.part.read_bytes() == file.data and file.requests[0].range == ""


def test_part_that_is_too_long_is_not_trusted(file):
    file.fetch()
    with file.part.open("ab") as part:
        part.write(b"more")
    file.fetch()
    assert file.part.read_bytes() == file.data


def test_busy_server(file):
    file.faults(Fault(status=503, retry_after="0"), Fault(status=429, retry_after="0"))
    file.fetch()
    assert [entry.status for entry in file.requests] == [503, 429, 200]


def test_server_that_asks_for_too_much_patience(file):
    file.faults(Fault(status=503, retry_after="3600"))
    with pytest.raises(RetrievalError, match="not served for the next 3600 seconds"):
        file.fetch()
    assert len(file.requests) == 1


@pytest.mark.parametrize("status", [403, 404, 410])
def test_missing_file_is_not_asked_for_twice(file, status):
    file.faults(Fault(status=status))
    with pytest.raises(NotFoundError, match=rf"not on the server \(HTTP {status}\)"):
        file.fetch()
    assert len(file.requests) == 1


@pytest.mark.parametrize("change", [7, -7])
def test_size_other_than_the_job_says(file, change):
    file.faults(Fault(resize=change))
    with pytest.raises(StaleFileError, match=rf"has {len(file.data) + change} bytes"):
        file.fetch()
    assert not file.part.exists()


def test_unknown_size(file):
    file.faults(Fault(cut_after=100_000))
    assert file.fetch(size=None).size == len(file.data)
    assert file.part.read_bytes() == file.data


def test_stop_before_and_within(file):
    file.faults(Fault(rate=40_000))
    file.stop_after = 1
    with pytest.raises(Canceled):
        file.fetch()
    assert 0 < file.part.stat().st_size < len(file.data)
    with pytest.raises(Canceled):
        file.fetch()
    assert len(file.requests) == 1


def test_stop_ends_a_pause(file):
    file.faults(Fault(status=503, retry_after="5"))
    file.stop.set()
    with pytest.raises(Canceled):
        file.fetch()


def test_folder_that_is_gone(file, tmp_path):
    file.part = tmp_path / "missing" / "file.part"
    with pytest.raises(OutputError, match="cannot be written"):
        file.fetch()


def test_nobody_listens(file):
    file.url = "http://127.0.0.1:9/x/file.zip"
    with pytest.raises(RetrievalError, match=r"file.zip did not arrive in 3 attempts"):
        file.fetch()


def test_no_address_at_all(file):
    file.url = "file:///etc/passwd"
    with pytest.raises(RetrievalError, match="no address that can be downloaded"):
        file.fetch()


def test_retry_after_forms():
    later = datetime.now(timezone.utc) + timedelta(seconds=100)
    assert retry_after("7") == 7.0
    assert 90 < retry_after(format_datetime(later, usegmt=True)) <= 100
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("soon") is None and retry_after(None) is None
    assert retry_after("nan") is None and retry_after("inf") is None


def test_delays_grow_to_their_bound():
    policy = RetryPolicy(first_delay=1.0, longest_delay=8.0)
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (9, 8.0)):
        assert 0.75 * longest <= policy.delay(failures) <= longest
