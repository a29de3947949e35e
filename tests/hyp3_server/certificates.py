"""A certificate authority for one run; nothing of it is kept."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from .secure import HOSTS

_NAMES = ",".join(["IP:127.0.0.1", "DNS:localhost", *(f"DNS:{host}" for host in HOSTS)])


def make_authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate authority and a server context signed by it.

    Returns the bundle that clients have to trust (``REQUESTS_CA_BUNDLE``) and the context.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority, own = folder / "authority.pem", folder / "server.pem"
    keys = folder / "authority.key", folder / "server.key"
    extensions = folder / "server.ext"
    extensions.write_text(f"subjectAltName={_NAMES}\nextendedKeyUsage=serverAuth\n")
    request = folder / "server.csr"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    commands = [
        [
            "req",
            "-x509",
            *curve,
            "-days",
            "2",
            "-subj",
            "/CN=Local test authority",
            "-addext",
            "keyUsage=critical,keyCertSign",
            "-keyout",
            keys[0],
            "-out",
            authority,
        ],
        ["req", *curve, "-subj", "/CN=127.0.0.1", "-keyout", keys[1], "-out", request],
        [
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            authority,
            "-CAkey",
            keys[0],
            "-days",
            "2",
            "-set_serial",
            "1",
            "-extfile",
            extensions,
            "-out",
            own,
        ],
    ]
    for command in commands:
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, keys[1])
    return authority, context
