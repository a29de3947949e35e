"""What QGIS knows about the network and its users: proxy settings and credentials."""

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsProcessingException,
    QgsSettings,
)

from .translation import tr

_SCHEMES = {"HttpProxy": "http", "Socks5Proxy": "socks5h"}


def proxies():
    """Return the proxy of QGIS's options as addresses by scheme, without user and password.

    Empty where QGIS has no proxy or takes that of the system, which the core process finds itself.
    """
    settings = QgsSettings()
    if not settings.value("proxy/proxyEnabled", False, type=bool):
        return {}
    scheme = _SCHEMES.get(settings.value("proxy/proxyType", "", type=str))
    host = settings.value("proxy/proxyHost", "", type=str).strip()
    port = settings.value("proxy/proxyPort", "", type=str).strip()
    if not scheme or not host:
        return {}
    address = f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
    found = {"http": address, "https": address}
    direct = settings.value("proxy/noProxyUrls", []) or []
    # A list with one entry comes back from the file as text.
    hosts = [_host(url) for url in ([direct] if isinstance(direct, str) else direct) if url]
    if hosts:
        found["no_proxy"] = ",".join(hosts)
    return found


def _host(url):
    """Return the host of an address, as the variable NO_PROXY wants it."""
    return str(url).partition("://")[2].partition("/")[0] or str(url).partition("/")[0]


def credentials(auth_id):
    """Return what an authentication configuration holds, in the form of the core process.

    Raises QgsProcessingException if it cannot be read or is of a method that HyP3 does not take.
    """
    if not auth_id:
        return None
    loaded, config = QgsApplication.authManager().loadAuthenticationConfig(
        auth_id, QgsAuthMethodConfig(), True
    )
    if not loaded or not config.isValid():
        raise QgsProcessingException(
            tr(
                "The authentication configuration {id} cannot be read; check that it exists and "
                "that the master password is known (for qgis_process: QGIS_AUTH_PASSWORD_FILE)."
            ).format(id=auth_id)
        )
    if config.method() == "Basic":
        return {key: config.config(key) for key in ("username", "password")}
    headers = {key.lower(): value for key, value in config.configMap().items()}
    word, _, bearer = headers.get("authorization", "").strip().partition(" ")
    if config.method() == "APIHeader" and word.lower() == "bearer" and bearer.strip():
        return {"token": bearer.strip()}
    raise QgsProcessingException(
        tr(
            "The authentication configuration {id} does not suit Earthdata Login; use Basic with "
            "user name and password, or API Header with Authorization = Bearer and a token."
        ).format(id=auth_id)
    )
