"""One file over a connection that breaks in every way."""

import errno
import math
import os
import shutil
import sys
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from hyp3_stack.core.errors import Canceled, OutputError, RetrievalError
from hyp3_stack.core.machine.atomic import not_writable
from hyp3_stack.core.retrieval.download.fetch_task import ZIP_STARTS
from hyp3_stack.core.retrieval.download.transfer import Pace, Transfer
from hyp3_stack.core.retrieval.download.wanted import (
    StaleFileError,
    StrangeContentError,
    Wanted,
)
from hyp3_stack.core.retrieval.service.connection import guarded_session
from hyp3_stack.core.retrieval.service.retries import RetryPolicy, retry_after
from hyp3_stack.core.retrieval.service.service_failures import NotFoundError
from tests.hyp3_server import Fault
from tests.hyp3_server.faults import gateway, page, redirect, storage

SPACE = shutil.disk_usage(tempfile.gettempdir()).free
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
        self.pace = None
        self.stop = threading.Event()
        self.stop_after = math.inf

    def fetch(self, size=..., policy=QUICK, **more):
        def count(number):
            self.received += number
            if self.received >= self.stop_after:
                self.stop.set()

        with guarded_session() as session:
            transfer = Transfer(session, policy, self.stop, count, self.pace)
            return transfer.fetch(self.wanted(size, **more), self.part)

    def wanted(self, size=..., **more):
        return Wanted(self.url, len(self.data) if size is ... else size, **more)

    def faults(self, *faults):
        self.service.faults.add(self.name, *faults)

    @property
    def requests(self):
        return self.service.log.files(self.name)


@pytest.fixture
def file(stack, tmp_path):
    return OneFile(stack, tmp_path)


def test_whole(file):
    file.fetch()
    assert file.part.read_bytes() == file.data and len(file.data) == file.received


def test_complete_part_is_not_asked_for_again(file):
    file.fetch()
    file.fetch()
    assert len(file.requests) == 1


def test_cut_connection_is_continued_at_the_byte(file):
    file.faults(Fault(cut_after=100_000), Fault(cut_after=70_001))
    file.fetch()
    assert file.part.read_bytes() == file.data
    assert [entry.start for entry in file.requests] == [0, 100_000, 170_001]
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


def test_complete_part_of_unknown_size(file):
    file.fetch(size=None)
    file.fetch(size=None)
    assert [entry.status for entry in file.requests] == [200, 416]
    assert file.part.read_bytes() == file.data


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
    with pytest.raises(RetrievalError, match="not served at the moment .* again in 3600 seconds"):
        file.fetch()
    assert len(file.requests) == 1


@pytest.mark.parametrize("status", [403, 404, 410])
def test_missing_file_is_not_asked_for_twice(file, status):
    file.faults(Fault(status=status))
    with pytest.raises(NotFoundError, match=rf"not on the server \(HTTP {status}\)"):
        file.fetch()
    assert len(file.requests) == 1


PAST = datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)
NEVER = datetime(2999, 1, 2, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "answer",
    [
        Fault(status=403),
        Fault(status=404),
        storage(403, "AccessDenied", "Access Denied"),
        storage(404, "NoSuchKey", "The specified key does not exist."),
        page(404, "Not Found"),
        page(403, "ERROR: The request could not be satisfied"),
    ],
)
def test_file_that_has_expired_is_to_be_ordered_again(file, answer):
    file.faults(answer)
    with pytest.raises(NotFoundError, match=r"expired since 2026-01-02; order it again"):
        file.fetch(expires=PAST)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Fault(status=404), "until 2999-01-02; try again later"),
        (Fault(status=403), r"until 2999-01-02; try it without VPN or proxy"),
        (
            storage(403, "AccessDenied", "Access Denied"),
            r"\(AccessDenied: Access Denied\), although",
        ),
        (storage(404, "NoSuchKey", "No such key"), r"\(NoSuchKey: No such key\), although"),
        (gateway(403, "Forbidden"), r"\(HTTP 403\) \(Forbidden\), although"),
        (page(404, "Nothing here"), r"\(HTTP 404\) \(Nothing here\), although"),
    ],
)
def test_file_that_should_be_there(file, answer, words):
    file.faults(answer)
    with pytest.raises(NotFoundError, match=words) as caught:
        file.fetch(expires=NEVER)
    assert "order" not in str(caught.value) and "report the job" in str(caught.value)


@pytest.mark.parametrize("answer", [Fault(status=403), storage(404, "NoSuchKey", "No such key")])
def test_file_without_expiration(file, answer):
    file.faults(answer)
    with pytest.raises(NotFoundError, match="its job lists it without an expiration") as caught:
        file.fetch()
    assert "order" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_file_that_a_filter_refuses(file, status):
    file.faults(page(status, "Category storage is blocked"))
    with pytest.raises(RetrievalError) as caught:
        file.fetch(expires=NEVER)
    assert not isinstance(caught.value, NotFoundError)
    assert f"or a web filter (HTTP {status}) (Category storage is blocked)" in str(caught.value)
    assert "to let 127.0.0.1:" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (gateway(401, "Unauthorized"), r"\(HTTP 401\) \(Unauthorized\), which asks for a login"),
        (Fault(status=451, content=b""), r"is refused by the server \(HTTP 451\); try it"),
        (Fault(status=400, content=b"?"), r"is refused by the server \(HTTP 400\); try it"),
        (Fault(status=304, content=b""), r"is refused by the server \(HTTP 304\); try it"),
        (Fault(status=407, content=b""), "The proxy asks for a user name and password"),
        (Fault(status=501, content=b""), r"is refused by the server \(HTTP 501\)"),
    ],
)
def test_other_refusals(file, answer, words):
    file.faults(answer)
    with pytest.raises(RetrievalError, match=words) as caught:
        file.fetch(expires=NEVER)
    assert len(file.requests) == 1 and "order" not in str(caught.value)


def packed_page():
    import gzip

    fault = page(200, "Blocked")
    fault.content = gzip.compress(fault.content)
    fault.headers["Content-Encoding"] = "gzip"
    return fault


@pytest.mark.parametrize("starts", [(), ZIP_STARTS], ids=["anything", "archive"])
@pytest.mark.parametrize(
    "answer",
    [
        page(200, "Blocked"),
        packed_page(),
        Fault(content=b"\xef\xbb\xbf \n<HTML>Blocked</HTML>", kind="application/octet-stream"),
        Fault(content=b"<!doctype html>Blocked", kind=""),
        page(206, "Blocked", headers={"Content-Range": "bytes 0-99/100"}),
    ],
)
@pytest.mark.parametrize("size", [..., None])
def test_page_in_place_of_a_file(file, answer, starts, size):
    answer.times = 1
    file.faults(answer)
    with pytest.raises(StrangeContentError, match=r"A web page \(Blocked\) arrives in place of"):
        file.fetch(size=size, starts=starts)
    assert not file.part.exists() and len(file.requests) == 1


def test_page_in_place_of_the_rest_of_a_file(file):
    begun = len(file.data) - 100_000
    rest = f"bytes {begun}-{len(file.data) - 1}/{len(file.data)}"
    file.faults(
        Fault(cut_after=begun),
        Fault(
            status=206,
            content=b"x" * 100_000,
            kind="text/html",
            headers={"Content-Range": rest},
        ),
    )
    with pytest.raises(StrangeContentError, match="A web page"):
        file.fetch()
    assert file.part.read_bytes() == file.data[:begun]
    file.fetch()
    assert file.part.read_bytes() == file.data


@pytest.mark.parametrize(
    "answer",
    [
        Fault(content=b'{"message": "blocked by policy"}'),
        Fault(content=b"Access to this site is restricted", kind="text/plain"),
        Fault(content=b"\0" * 100_000, kind="application/zip", endless=True),
        storage(200, "SlowDown", "Reduce your request rate"),
    ],
)
@pytest.mark.parametrize("size", [..., None])
def test_something_else_in_place_of_an_archive(file, answer, size):
    answer.times = 1
    file.faults(answer)
    with pytest.raises(StrangeContentError, match="What arrives in place of .* is something else"):
        file.fetch(size=size, starts=ZIP_STARTS)
    assert not file.part.exists()


def test_file_that_is_packed_on_the_way(file):
    import gzip

    content = gzip.compress(file.data)
    file.faults(
        Fault(content=content, kind="application/zip", headers={"Content-Encoding": "gzip"})
    )
    with pytest.raises(StrangeContentError, match=r"packed a second time \(gzip\)"):
        file.fetch(starts=ZIP_STARTS)


def test_empty_answers(file):
    file.faults(Fault(content=b""), Fault(content=b"", kind="application/zip"))
    file.fetch(starts=ZIP_STARTS)
    assert file.part.read_bytes() == file.data and len(file.requests) == 3


def test_file_that_may_be_empty(file):
    file.faults(Fault(content=b"", kind="text/plain"))
    file.fetch(size=None)
    assert file.part.read_bytes() == b""


@pytest.mark.parametrize("begin", [0, 100_000])
@pytest.mark.parametrize("beyond", [1, 10**9])
def test_file_that_goes_on_beyond_its_size(file, begin, beyond):
    """The part never becomes much larger than the file, however much is sent."""
    rest = f"bytes {begin}-{len(file.data) - 1}/{len(file.data)}"
    headers = {"Content-Range": rest} if begin else {}
    if begin:
        file.faults(Fault(cut_after=begin))
    file.faults(
        Fault(
            status=206 if begin else 200,
            content=file.data[begin:] + b"x" * min(beyond, 1 << 20),
            kind="application/zip",
            headers=headers,
            endless=True,
        )
    )
    with pytest.raises(StaleFileError, match=rf"goes on beyond {len(file.data)} bytes on the serv"):
        file.fetch(starts=ZIP_STARTS)
    assert file.received <= len(file.data) + (1 << 18)
    assert not file.part.exists()


def test_file_of_unknown_size_that_goes_on(file):
    file.faults(Fault(content=b"II*\0" + b"x" * 100_000, kind="image/tiff", endless=True))
    with pytest.raises(
        StrangeContentError, match=r"goes on beyond 0\.0 GB, which no such file has"
    ):
        file.fetch(size=None, most=1_000_000)
    assert file.received <= 1_000_000 + (1 << 18) and not file.part.exists()


def test_file_that_trickles_in(file):
    file.pace = Pace(seconds=0.1, rate=1e6)
    file.faults(Fault(rate=100_000, times=-1))
    with pytest.raises(RetrievalError, match=r"3 attempts \(the server sends hardly anything\)"):
        file.fetch()


@pytest.mark.parametrize("length", ["9" * 400, "9" * 5000, "-1", "1e3", "\xb2"])
def test_lengths_that_are_none(file, length):
    headers = {"Content-Length": length}
    file.faults(Fault(content=file.data, kind="application/zip", headers=headers))
    file.fetch(starts=ZIP_STARTS)
    assert file.part.read_bytes() == file.data


@pytest.mark.parametrize(
    "span", ["bytes 100000-1/*", "bytes " + "9" * 5000 + "-9/9", "", "lines 1-2/3"]
)
def test_ranges_that_are_none(file, span):
    file.faults(
        Fault(cut_after=100_000),
        Fault(status=206, content=b"x" * 9, headers={"Content-Range": span}),
    )
    file.fetch()
    assert file.part.read_bytes() == file.data and file.requests[-1].range == ""


@pytest.mark.parametrize(
    "pause", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 99999999999999999999 Jan 2020"]
)
def test_pauses_without_end(file, pause):
    file.faults(Fault(status=503, retry_after=pause))
    try:
        file.fetch()
    except RetrievalError as error:
        assert str(error).endswith("(HTTP 503); run the same command again later.")


def test_redirects_in_a_circle(file):
    file.faults(redirect(file.url, times=-1))
    with pytest.raises(RetrievalError, match="leads from one address to the next without end"):
        file.fetch()
    assert len(file.requests) == 31


@pytest.mark.parametrize("target", ["http://[", "ftp://x/y", "\xff", "http://a b:x/", "file:///x"])
def test_redirect_to_no_address(file, target):
    file.faults(redirect(target))
    with pytest.raises(RetrievalError, match="leads on to something that is not an address"):
        file.fetch()
    assert len(file.requests) == 1


def test_redirect_whose_body_does_not_end(file):
    file.faults(
        Fault(status=302, content=b"x" * 10**6, headers={"Location": file.url}, endless=True)
    )
    with pytest.raises(RetrievalError, match="an answer that does not end"):
        file.fetch()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("ENOSPC", "so it takes no more files" if SPACE > 6e9 else "free some space"),
        ("EDQUOT", "remove files of yours, or ask for a larger quota"),
        ("EROFS", "not mounted read-only"),
        ("EFBIG", "FAT32 does not beyond 4 GB"),
        ("ENAMETOOLONG", "choose a shorter name"),
        ("EACCES", "change its permissions"),
        ("EIO", "the disk reports a fault"),
        ("ENOENT", "its folder has gone"),
    ],
)
def test_disks_that_take_no_more(tmp_path, number, words):
    code = getattr(errno, number)
    text = str(not_writable(tmp_path / "a.zip", OSError(code, os.strerror(code))))
    assert words in text and str(tmp_path) in text
    assert "free some space" not in text or number == "ENOSPC"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_file_system_that_takes_no_large_files(file):
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(OutputError, match="FAT32 does not beyond 4 GB"):
            file.fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    file.fetch()
    assert file.part.read_bytes() == file.data


@pytest.mark.parametrize("change", [7, -7])
def test_size_other_than_the_job_says(file, change):
    file.faults(Fault(resize=change))
    with pytest.raises(StaleFileError, match=rf"has {len(file.data) + change} bytes"):
        file.fetch()
    assert not file.part.exists()


def test_unknown_size(file):
    file.faults(Fault(cut_after=100_000))
    file.fetch(size=None)
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


@pytest.mark.parametrize("url", ["file:///etc/passwd", "", "//x/y.zip", "http://[::1/y" * 99])
def test_no_address_at_all(file, url):
    file.url = url
    with pytest.raises(RetrievalError, match="^'.*' is not an address that can be") as caught:
        file.fetch()
    assert len(str(caught.value)) < 600


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
