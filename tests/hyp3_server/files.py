"""Product files with byte ranges, validators, and faults on demand."""

from __future__ import annotations

import itertools
import re
import time
import zipfile
import zlib
from email.utils import formatdate
from typing import TYPE_CHECKING

from .faults import Fault

if TYPE_CHECKING:
    from .web import Handler

_BLOCK = 1 << 14
_LONGEST_HOLD = 120.0


def serve_file(handler: Handler, job_id: str, name: str) -> None:
    """Answer a request for a product file of a job."""
    fault = handler.service.faults.next(name) or Fault()
    if handler.send_fault(fault):
        return
    found = None if fault.status else _content(handler, job_id, name)
    if found is None:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else None
        # Like a content network without the right to list: a missing file is a forbidden one.
        handler.send_problem(fault.status or 403, "Access Denied", headers)
        return
    data, modified = found
    if fault.corrupt:
        middle = len(data) // 2
        data = data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]
    data = data + b"\0" * fault.resize if fault.resize >= 0 else data[: fault.resize]
    etag = f'"{len(data):x}-{zlib.crc32(data):x}"'
    begin, end = 0, len(data)
    status = 200
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    if match:
        begin = int(match[1])
        end = min(int(match[2]) + 1, len(data)) if match[2] else len(data)
        status = 206
        if begin >= len(data):
            handler.entry.status = 416
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(data)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
    handler.entry.status = status
    handler.send_response(status)
    handler.send_header("Content-Type", "application/octet-stream")
    handler.send_header("Accept-Ranges", "bytes")
    handler.send_header("ETag", etag)
    handler.send_header("Last-Modified", formatdate(modified, usegmt=True))
    handler.send_header("Content-Length", str(end - begin))
    if status == 206:
        handler.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
    handler.end_headers()
    _send(handler, data[begin:end], fault)


def _content(handler: Handler, job_id: str, name: str) -> tuple[bytes, float] | None:
    job = handler.service.jobs.get(job_id)
    if name == f"{job_id}.log" and job_id in handler.service.logs:
        return handler.service.logs[job_id].encode(), time.time()
    if job is None or job.archive is None or job.job_id in handler.service.withdrawn:
        return None
    modified = job.archive.stat().st_mtime
    product = job.archive.stem
    if name == job.archive.name:
        return job.archive.read_bytes(), modified
    if not handler.service.single_files or not name.startswith(product):
        return None
    with zipfile.ZipFile(job.archive) as archive:
        try:
            return archive.read(f"{product}/{name}"), modified
        except KeyError:
            return None


def _send(handler: Handler, data: bytes, fault: Fault) -> None:
    if fault.stall:
        handler.wfile.flush()
        time.sleep(fault.stall)
    limit = len(data) if fault.cut_after is None else min(fault.cut_after, len(data))
    block = _BLOCK if fault.rate is None else max(int(fault.rate / 20), 1)
    hold = limit if fault.hold_after is None else min(fault.hold_after, limit)
    for first, after in itertools.pairwise(sorted({*range(0, limit, block), hold, limit})):
        if first == hold:
            handler.wfile.flush()
            fault.released.wait(_LONGEST_HOLD)
        piece = data[first:after]
        # First, as whoever has the last piece may look at once.
        handler.entry.sent += len(piece)
        handler.wfile.write(piece)
        if fault.rate is not None:
            time.sleep(len(piece) / fault.rate)
    if limit < len(data):
        handler.wfile.flush()
        handler.close_connection = True
