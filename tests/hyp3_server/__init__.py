"""A HyP3 service on 127.0.0.1: API, product files, Earthdata Login and scene catalog.

Everything is served over real sockets, the login and the catalog over TLS with a certificate
authority made for the run. ``python -m tests.hyp3_server --products FOLDER`` serves a folder of
product archives.
"""

from .faults import Fault
from .records import job_from_archive, jobs_from_archives, make_job
from .service import Hyp3Service

__all__ = ["Fault", "Hyp3Service", "job_from_archive", "jobs_from_archives", "make_job"]
