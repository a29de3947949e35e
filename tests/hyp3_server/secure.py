"""What is reached over TLS: Earthdata Login, ASF's login page, and the scene catalog."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .searching import matching
from .web import Handler

LOGIN_HOST = "urs.earthdata.nasa.gov"
RETURN_HOST = "cumulus.asf.alaska.edu"
FOREIGN_HOSTS = (f"{LOGIN_HOST}.evil.example", "elsewhere.example")
"""Hosts that no credentials are for; one reads like Earthdata Login."""
UNCERTIFIED_HOST = "uncertified.example"
"""A host whose name is in no certificate."""
HOSTS = (LOGIN_HOST, RETURN_HOST, *FOREIGN_HOSTS)


class SecureHandler(Handler):
    """Plays several hosts, told apart by what they are called in the request."""

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        self.begin(host)
        if self.send_fault(self.service.api_faults.next(host)):
            return
        if host == LOGIN_HOST and self.entry.path == "/oauth/authorize":
            self._authorize()
        elif host == RETURN_HOST and self.entry.path == "/login":
            self._log_in()
        else:
            self.send_json(404, {"errors": ["not found"]})

    def _authorize(self) -> None:
        status = self.service.login_status
        if status is not None:
            self.send_json(status, {"error": "server error"})
            return
        account = None
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                name, _, password = base64.b64decode(value).decode().partition(":")
                account = self.service.accounts.check(name, password)
            except (binascii.Error, UnicodeDecodeError):
                account = None
        if account is None:
            headers = {"WWW-Authenticate": 'Basic realm="Please enter your credentials"'}
            self.send_json(401, {"error": "invalid_credentials"}, headers)
            return
        target = self.entry.query["redirect_uri"]
        if account.approved:
            code = secrets.token_hex(16)
            self.service.accounts.codes[code] = account.name
            self.redirect(f"{target}?{urlencode({'code': code})}")
        else:
            words = {
                "error": "access_denied",
                "error_msg": "Please accept the EULA of the data provider",
                "resolution_url": f"https://{LOGIN_HOST}/approve_app?client_id=sample",
            }
            self.redirect(f"{target}?{urlencode(words)}")

    def _log_in(self) -> None:
        name = self.service.accounts.codes.pop(self.entry.query.get("code", ""), None)
        if name is None:
            self.send_json(401, {"error": "access denied"})
            return
        data = self.service.accounts.token(name)
        cookie = f"asf-urs={data}; Domain=.asf.alaska.edu; Path=/; Secure; HttpOnly"
        self.send_response(200)
        self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.entry.status = 200

    def do_POST(self) -> None:
        entry = self.begin("catalog")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        entry.form = parse_qsl(body.decode())
        if self.send_fault(self.service.api_faults.next("catalog")):
            return
        status = self.service.catalog_status
        if status is not None:
            self.send_json(status, {"errors": ["The catalog is not available"]})
            return
        if entry.path != "/search/granules.umm_json":
            self.send_json(404, {"errors": ["not found"]})
            return
        names = [value for key, value in entry.form if key == "readable_granule_name[]"]
        size = int(dict(entry.form).get("page_size", 10))
        if names:
            items = [item for name in names for item in self.service.granules(name)]
        else:
            items = matching(self.service.searched(), entry.form)
        after = int(self.headers.get("CMR-Search-After") or 0)
        page = items[after : after + size]
        headers = {"CMR-Hits": str(len(items))}
        if page:
            headers["CMR-Search-After"] = str(after + len(page))
        answer = {"hits": len(items), "took": 1, "items": page}
        self.send_json(200, answer, headers)


def granule_items(
    name: str, path: int, ascending: bool, ring: list[tuple[float, float]]
) -> list[dict[str, Any]]:
    """Return what the catalog holds for a scene: the data, and for frames its metadata, too."""
    if name.endswith("-BURST"):
        return [_item(name, name, "SENTINEL-1_BURSTS", "BURST", path, ascending, ring)]
    level = "SLC" if "_SLC_" in name else "GRD_HD"
    collection = f"SENTINEL-1{name[2]}_{'SLC' if level == 'SLC' else 'DP_GRD_HIGH'}"
    meta = collection.replace("SLC", "META_SLC").replace("DP_GRD_HIGH", "DP_META_GRD_HIGH")
    return [
        # Metadata first: whoever takes the first answer takes the wrong one.
        _item(f"{name}-METADATA_{level}", name, meta, f"METADATA_{level}", path, None, ring),
        _item(f"{name}-{level}", name, collection, level, path, ascending, ring),
    ]


def _item(
    unique: str,
    scene: str,
    collection: str,
    level: str,
    path: int,
    ascending: bool | None,
    ring: list[tuple[float, float]],
) -> dict[str, Any]:
    attributes = {"PROCESSING_TYPE": level, "PATH_NUMBER": str(path), "POLARIZATION": "VV"}
    if ascending is not None:
        attributes["ASCENDING_DESCENDING"] = "ASCENDING" if ascending else "DESCENDING"
    points = [{"Longitude": lon, "Latitude": lat} for lon, lat in ring]
    umm: dict[str, Any] = {
        "GranuleUR": unique,
        "CollectionReference": {"ShortName": collection, "Version": "1"},
        "DataGranule": {
            "Identifiers": [{"IdentifierType": "ProducerGranuleId", "Identifier": scene}],
            "ProductionDateTime": "2026-01-01T00:00:00Z",
        },
        "TemporalExtent": {
            "RangeDateTime": {
                "BeginningDateTime": "2026-01-01T00:00:00Z",
                "EndingDateTime": "2026-01-01T00:00:27Z",
            }
        },
        "Platforms": [{"ShortName": "SENTINEL-1A", "Instruments": [{"ShortName": "C-SAR"}]}],
        "RelatedUrls": [],
        "AdditionalAttributes": [
            {"Name": key, "Values": [value]} for key, value in attributes.items()
        ],
    }
    if points:
        umm["SpatialExtent"] = {
            "HorizontalSpatialDomain": {
                "Geometry": {"GPolygons": [{"Boundary": {"Points": points}}]}
            }
        }
    return {"meta": {"concept-id": f"G-{unique}", "provider-id": "ASF"}, "umm": umm}
