"""Scan a staged plugin as the QGIS plugin repository does on upload: bandit and detect-secrets.

``python scripts/scan_upload.py FOLDER`` prints the findings and exits with 1 if one would block the
upload. Rules as published by the repository in July 2026; critical ones cannot be skipped there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CRITICAL = (
    "B102 B103 B105 B106 B107 B111 B201 B202 B301 B302 B304 B305 B306 B307 B312 B321 B323 "
    "B401 B402 B412 B413 B501 B502 B503 B505 B506 B507 B601 B602 B604 B605 B609 B610 B611 "
    "B612 B613 B615 B701"
).split()
SKIPPABLE = (
    "B101 B104 B108 B110 B112 B113 B303 B308 B310 B311 B313 B314 B315 B316 B317 B318 B319 "
    "B320 B324 B403 B405 B406 B407 B408 B409 B504 B508 B509 B603 B606 B607 B608 B614 B702 "
    "B703 B704"
).split()
# What the plugin does on purpose; to be skipped by hand at the upload.
ACCEPTED = {
    "B603": "the core runs as a child process, from a list of arguments without a shell",
}


def run(folder: Path, *command: str) -> dict:
    """Run a tool of this interpreter's environment in ``folder`` and return its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    if not done.stdout.strip() or done.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def bandit_findings(folder: Path) -> list[tuple[str, str]]:
    """Return (rule, text) of every finding of the rules that the repository has switched on."""
    # Rules of other versions of bandit would be an error on the command line.
    report = run(folder, "bandit", "--quiet", "-r", ".", "-f", "json")
    if report["errors"]:
        raise SystemExit(f"bandit could not read {report['errors']}")
    return [
        (issue["test_id"], f"{issue['filename']}:{issue['line_number']}: {issue['issue_text']}")
        for issue in report["results"]
        if issue["test_id"] in (*CRITICAL, *SKIPPABLE)
    ]


def secret_findings(folder: Path) -> list[tuple[str, str]]:
    """Return (kind, text) of everything that looks like a secret."""
    report = run(
        folder, "detect_secrets", "scan", "--all-files", "--exclude-files", r"metadata\.txt", "."
    )
    return [
        (secret["type"], f"{file}:{secret['line_number']}: looks like a secret")
        for file, secrets in report["results"].items()
        for secret in secrets
    ]


def main(folder: Path) -> int:
    """Print findings; return 1 if one would block the upload."""
    findings = bandit_findings(folder) + secret_findings(folder)
    blocking = [finding for finding in findings if finding[0] not in ACCEPTED]
    for rule, text in blocking:
        print(f"{rule} {text}")
    for rule, reason in ACCEPTED.items():
        count = sum(1 for finding in findings if finding[0] == rule)
        if count:
            print(f"{rule} accepted {count} times: {reason}.")
    print(f"Upload scan of {folder}: {len(blocking)} blocking findings.")
    return 1 if blocking else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
