"""What QGIS knows about the network and its users: proxy settings and credentials."""

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsProcessingException,
    QgsSettings,
)

from ...core.contract import PROXY_PASSWORD, PROXY_USERNAME

PROXIES = "PROXIES"
"""Parameter of the core's jobs, which no algorithm has."""

_SCHEMES = {
    "HttpProxy": "http",
    "HttpCachingProxy": "http",
    "Socks5Proxy": "socks5h",
}


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
    if ":" in host and not host.startswith("["):  # IPv6
        host = f"[{host}]"
    address = f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
    found = {"http": address, "https": address}
    hosts = [
        _host(url)
        for name in ("proxy/noProxyUrls", "proxy/proxyExcludedUrls")
        for url in _listed(settings.value(name))
    ]
    if hosts:
        found["no_proxy"] = ",".join(dict.fromkeys(hosts))
    return found


def proxy_login():
    """Return user name and password of QGIS's proxy, in the form of the core process.

    Empty where the proxy has none. Raises QgsProcessingException if they are in an authentication
    configuration that cannot be read or is not Basic.
    """
    if not proxies():
        return {}
    settings = QgsSettings()
    auth_id = settings.value("proxy/authcfg", "", type=str).strip()
    if auth_id:
        config = _configuration(auth_id)
        if config is None or config.method() != "Basic":
            raise QgsProcessingException(
                "The proxy in QGIS's options (Settings > Options > Network) uses the "
                f"authentication configuration {auth_id}, which cannot be read or is not Basic; "
                "choose another one there, and check that the master password is known (for "
                "qgis_process: QGIS_AUTH_PASSWORD_FILE)."
            )
        username, password = config.config("username"), config.config("password")
    else:
        username = settings.value("proxy/proxyUser", "", type=str)
        password = settings.value("proxy/proxyPassword", "", type=str)
    return {PROXY_USERNAME: username, PROXY_PASSWORD: password} if username else {}


def _listed(value):
    """Return the entries of a list in the settings, where one with a single entry is text."""
    return [url for url in ([value] if isinstance(value, str) else value or []) if url.strip()]


def _host(url):
    """Return the host of an address, as the variable NO_PROXY wants it."""
    address = str(url).strip()
    return (address.partition("://")[2] or address).partition("/")[0]


def _configuration(auth_id):
    """Return an authentication configuration with its secrets; None if it cannot be read."""
    loaded, config = QgsApplication.authManager().loadAuthenticationConfig(
        auth_id, QgsAuthMethodConfig(), True
    )
    return config if loaded and config.isValid() else None


def credentials(auth_id):
    """Return what an authentication configuration holds, in the form of the core process.

    Raises QgsProcessingException if it cannot be read or is of a method that HyP3 does not take.
    """
    if not auth_id:
        return None
    config = _configuration(auth_id)
    if config is None:
        raise QgsProcessingException(
            f"The authentication configuration {auth_id} cannot be read; check that it exists and "
            "that the master password is known (for qgis_process: QGIS_AUTH_PASSWORD_FILE)."
        )
    if config.method() == "Basic":
        return {key: config.config(key) for key in ("username", "password")}
    headers = {key.lower(): value for key, value in config.configMap().items()}
    word, _, bearer = headers.get("authorization", "").strip().partition(" ")
    if config.method() == "APIHeader" and word.lower() == "bearer" and bearer.strip():
        return {"token": bearer.strip()}
    raise QgsProcessingException(
        f"The authentication configuration {auth_id} does not suit Earthdata Login; use Basic with "
        "user name and password, or API Header with Authorization = Bearer and a token."
    )
