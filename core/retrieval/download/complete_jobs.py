"""Which jobs a download folder has everything of, without asking a service."""

from __future__ import annotations

from pathlib import Path

from ...run.reporter import Reporter, stop_if_canceled
from .folder import DownloadFolder
from .manifest import COMPLETE, MANIFEST_NAME, Manifest, intact


def complete_jobs(path: Path, reporter: Reporter) -> frozenset[str]:
    """Return the ids of jobs of which a folder, if it is there, has everything, expired or not.

    Raises
    ------
    OutputError
        If another run is at work in the folder, or its manifest cannot be read or written.
    """
    if not (path / MANIFEST_NAME).is_file():
        return frozenset()
    with DownloadFolder(path).locked():
        manifest = Manifest(path)
        before = manifest.entries()
        whole: dict[str, bool] = {}
        try:
            for entry in before:
                found = None
                if entry.status == COMPLETE:
                    found = intact(entry, path, lambda: stop_if_canceled(reporter))
                if found is not None and found != entry:
                    # Checksums of a copied folder take long; once noted, times are enough.
                    manifest.record(found)
                whole[entry.job_id] = whole.get(entry.job_id, True) and found is not None
        finally:
            if manifest.entries() != before:
                manifest.flush()
    return frozenset(job_id for job_id, fine in whole.items() if fine)
