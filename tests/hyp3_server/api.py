"""The HyP3 API: jobs, user, costs; and the product files on the same host."""

from __future__ import annotations

import base64
import binascii
import json
import time
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote, urlencode

from .files import serve_file
from .orders import COSTS, Refused, check_scenes, checked_order, price, stored_record
from .records import JOB_TYPES, STATUSES, StoredJob
from .web import Handler


class ApiHandler(Handler):
    """Answers as HyP3's own API does, errors in its words."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        is_file = len(parts) == 2 and parts[0] != "jobs" and "." in parts[1]
        self.begin("files" if is_file else "api")
        if is_file:
            serve_file(self, parts[0], parts[1])
            return
        fault = self.service.api_faults.next(parts[0])
        if self.send_fault(fault):
            return
        if fault is not None and fault.status is not None:
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else None
            self.send_problem(fault.status, "The service is not available right now", headers)
            return
        if path == "/costs":
            self.send_json(200, COSTS)
            return
        user = self._user()
        if user is None:
            return
        if path == "/jobs":
            self._list(user)
        elif parts[0] == "jobs" and len(parts) == 2:
            job = self.service.jobs.get(parts[1])
            if job is None:
                self.send_problem(404, f"job_id {parts[1]} does not exist")
            else:
                self.send_json(200, self._shown(job))
        elif path == "/user":
            self._show_user(user)
        else:
            self.send_problem(404, "The requested URL was not found on the server.")

    def do_POST(self) -> None:
        self.begin("api")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/jobs":
            self.send_problem(404, "The requested URL was not found on the server.")
            return
        user = self._user()
        if user is None:
            return
        try:
            self.entry.body = json.loads(body)
            jobs, is_trial = checked_order(self.entry.body)
        except (ValueError, Refused):
            self.send_problem(400, "Bad Request")
            return
        fault = self.service.api_faults.next("validation" if is_trial else "order")
        try:
            if fault is None or fault.stored:
                answer = self._take_order(user, jobs, is_trial, fault.stored if fault else 1.0)
        except Refused as refused:
            self.send_problem(refused.status, str(refused))
            return
        if fault is None:
            self.send_json(200, answer)
            return
        time.sleep(fault.stall)
        if self.send_fault(fault):
            return
        if fault.status is not None:
            self.send_problem(fault.status, "Endpoint request timed out")
            return
        # The connection ends without an answer.
        self.close_connection = True

    def _take_order(
        self, user: str, jobs: list[dict[str, Any]], is_trial: bool, share: float
    ) -> dict[str, Any]:
        """Check an order as HyP3 does, take its credits, and store a share of its jobs."""
        service = self.service
        if service.catalog_status is None:
            check_scenes(jobs, {*service.scenes, *service.catalog})
        account = service.accounts.get(user)
        if account.application != "APPROVED":
            raise Refused(
                403,
                f"Your application to use HyP3 is {account.application}; visit "
                "https://hyp3.example/help",
            )
        with service.order_lock:
            credits = sum(map(price, jobs))
            left = account.remaining_credits
            if left is not None and credits > left:
                raise Refused(
                    400,
                    f"These jobs would cost {credits} credits, but you have only {left} remaining.",
                )
            now = datetime.now(timezone.utc)
            records = []
            for job in jobs:
                left = None if left is None else left - price(job)
                records.append(stored_record(job, user, now, 9999.0 if left is None else left))
            if is_trial and not service.sells_trials:
                return {"jobs": records, "validate_only": True}
            account.remaining_credits = left
            for record in records:
                record["credit_cost"] += service.surcharge
            service.take_order(
                [StoredJob(record) for record in records[: round(share * len(jobs))]]
            )
        return {"jobs": records, "validate_only": is_trial}

    def _user(self) -> str | None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            cookies = (
                part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";")
            )
            token = {name: value for name, _, value in cookies}.get("asf-urs", "")
        if not token:
            self.send_problem(401, "No authorization token provided")
            return None
        user = self.service.accounts.user_of(token)
        if user is None:
            self.send_problem(401, "Provided apikey is not valid")
        return user

    def _list(self, user: str) -> None:
        query = self.entry.query
        for name, allowed in (("job_type", JOB_TYPES), ("status_code", STATUSES)):
            if name in query and query[name] not in allowed:
                self.send_problem(
                    400, f"Value {query[name]} not valid for schema of type string: {list(allowed)}"
                )
                return
        try:
            first = _decode(query["start_token"]) if "start_token" in query else 0
            start, end = _moment(query.get("start")), _moment(query.get("end"))
        except (ValueError, binascii.Error):
            self.send_problem(400, "Invalid start_token, start or end")
            return
        owner = query.get("user_id", user)
        jobs = [job for job in self.service.listed_jobs() if job.record["user_id"] == owner]
        # Like DynamoDB: a page is cut before the filters, so it may be short or empty.
        page = jobs[first : first + self.service.page_size]
        shown = [self._shown(job) for job in page if _fits(job.record, query, start, end)]
        answer: dict[str, Any] = {"jobs": shown}
        if first + self.service.page_size < len(jobs):
            token = _encode(first + self.service.page_size)
            answer["next"] = f"{self.service.url}/jobs?{urlencode({**query, 'start_token': token})}"
        self.send_json(200, answer)

    def _shown(self, job: StoredJob) -> dict[str, Any]:
        host = self.service.url
        record = {**job.record}
        for key in ("browse_images", "thumbnail_images", "logs"):
            if key in record:
                record[key] = [url.replace("{host}", host) for url in record[key]]
        if "files" in record:
            record["files"] = [
                {**file, "url": file["url"].replace("{host}", host)} for file in record["files"]
            ]
        return record

    def _show_user(self, user: str) -> None:
        account = self.service.accounts.get(user)
        names = {job.record.get("name") for job in self.service.sorted_jobs()} - {None}
        self.send_json(
            200,
            {
                "user_id": user,
                "remaining_credits": account.remaining_credits,
                "application_status": account.application,
                "job_names": sorted(names),
            },
        )


def _fits(
    record: dict[str, Any], query: dict[str, str], start: datetime | None, end: datetime | None
) -> bool:
    requested = datetime.fromisoformat(record["request_time"])
    return (
        all(
            query.get(name) in (None, record.get(name))
            for name in ("job_type", "status_code", "name")
        )
        and (start is None or start <= requested)
        and (end is None or requested <= end)
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _encode(index: int) -> str:
    return base64.urlsafe_b64encode(f"after-{index}".encode()).decode()


def _decode(token: str) -> int:
    return int(base64.urlsafe_b64decode(token).decode().removeprefix("after-"))
