"""Credentials and proxies as QGIS keeps them."""

import pytest
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsProcessingException

from hyp3_stack.processing_provider.process.qgis_network import credentials, proxies, proxy_login

PHRASE = "a pass phrase"


@pytest.fixture(scope="module")
def manager(qgis_application):
    made = QgsApplication.authManager()
    assert made.setMasterPassword("master", True)
    return made


@pytest.fixture
def store(manager):
    """Return a function that keeps an authentication configuration and gives its id."""

    def keep(method, values):
        config = QgsAuthMethodConfig()
        config.setName("Earthdata")
        config.setMethod(method)
        config.setConfigMap(values)
        stored, config = manager.storeAuthenticationConfig(config)
        assert stored
        return config.id()

    return keep


def test_user_name_and_password(store):
    given = {"username": "jane", "password": PHRASE}
    assert credentials(store("Basic", given)) == given


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
@pytest.mark.parametrize("value", ["Bearer abc.def.ghi", "bearer  abc.def.ghi "])
def test_token_in_a_header(store, header, value):
    assert credentials(store("APIHeader", {header: value})) == {"token": "abc.def.ghi"}


@pytest.mark.parametrize("nothing", ["", None])
def test_no_configuration(nothing):
    assert credentials(nothing) is None


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("APIHeader", {"X-Api-Key": "abc"}),
        ("APIHeader", {"Authorization": "Bearer"}),
        ("APIHeader", {"Authorization": "Basic abc"}),
        ("EsriToken", {"token": "abc"}),
    ],
)
def test_methods_that_earthdata_does_not_take(store, method, values):
    identifier = store(method, values)
    with pytest.raises(QgsProcessingException) as caught:
        credentials(identifier)
    text = str(caught.value)
    assert identifier in text
    assert "use Basic" in text
    assert "abc" not in text


def test_a_configuration_that_does_not_exist(manager):
    with pytest.raises(QgsProcessingException, match="zzzzzzz cannot be read"):
        credentials("zzzzzzz")


def test_the_secret_stays_out_of_the_parameters_of_the_run(algorithm, store, context, feedback):
    tested = algorithm("findjobs")
    identifier = store("Basic", {"username": "jane", "password": PHRASE})
    parameters = {"AUTHCFG": identifier, "OUTPUT": "TEMPORARY_OUTPUT"}
    command = tested.asQgisProcessCommand(parameters, context)[0]
    assert identifier in command
    assert PHRASE not in command
    assert PHRASE not in tested.asPythonCommand(parameters, context)


def test_no_proxy(settings):
    assert proxies() == {}
    settings.setValue("proxy/proxyHost", "proxy.example.org")
    assert proxies() == {}


@pytest.fixture
def proxy(settings):
    """Return a function that sets QGIS's proxy."""

    def choose(kind="HttpProxy", host="proxy.example.org", port="8080", **others):
        values = {"proxyEnabled": True, "proxyType": kind, "proxyHost": host, "proxyPort": port}
        for name, value in {**values, **others}.items():
            settings.setValue(f"proxy/{name}", value)

    return choose


@pytest.mark.parametrize(
    ("kind", "host", "address"),
    [
        ("HttpProxy", "proxy.example.org", "http://proxy.example.org:8080"),
        ("HttpCachingProxy", " 10.0.0.1 ", "http://10.0.0.1:8080"),
        ("Socks5Proxy", "proxy.example.org", "socks5h://proxy.example.org:8080"),
        ("HttpProxy", "fd00::1", "http://[fd00::1]:8080"),
    ],
)
def test_proxy_of_qgis_and_its_login(proxy, kind, host, address):
    addresses = ["http://localhost/", "https://intern.example.org/a"]
    proxy(kind, host, proxyUser="jane", proxyPassword=PHRASE, noProxyUrls=addresses)
    assert proxies() == {
        "http": address,
        "https": address,
        "no_proxy": "localhost,intern.example.org",
    }
    assert proxy_login() == {"proxy_username": "jane", "proxy_password": PHRASE}


def test_a_login_that_no_proxy_has(proxy):
    proxy("FtpCachingProxy", proxyUser="jane", proxyPassword=PHRASE)
    assert proxies() == proxy_login() == {}
    proxy("HttpProxy", proxyUser="")
    assert proxies() and proxy_login() == {}


def test_the_login_of_a_proxy_in_an_authentication_configuration(proxy, store):
    identifier = store("Basic", {"username": "jane", "password": PHRASE})
    proxy(authcfg=identifier, proxyUser="somebody", proxyPassword="else")
    assert proxy_login() == {"proxy_username": "jane", "proxy_password": PHRASE}


@pytest.mark.parametrize("kind", ["missing", "EsriToken"])
def test_a_configuration_that_does_not_suit_a_proxy(proxy, store, manager, kind):
    identifier = "zzzzzzz" if kind == "missing" else store(kind, {"token": "abc"})
    proxy(authcfg=identifier)
    with pytest.raises(QgsProcessingException, match="Settings > Options > Network") as caught:
        proxy_login()
    assert identifier in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values", "is_online"),
    [
        ("findjobs", {}, True),
        ("setupenvironment", {}, True),
        ("buildstack", {"NETCDF": "s.nc"}, False),
        ("buildstack", {"NETCDF": "s.nc", "ENRICH": True}, True),
        ("buildstack", {"ZARR_URL": "s3://bucket/s.zarr"}, True),
        ("invertstack", {"INPUT": "s.nc", "NETCDF": "d.nc"}, False),
        ("invertstack", {"INPUT": "s3://bucket/s.zarr", "NETCDF": "d.nc"}, True),
        ("invertstack", {"INPUT": "s.nc", "ZARR_URL": "s3://bucket/d.zarr"}, True),
        ("assessstack", {"INPUT": "s.nc"}, False),
        ("assessstack", {"INPUT": "s3://bucket/s.zarr"}, True),
    ],
)
def test_who_gets_the_login(
    algorithm, proxy, context, feedback, core_python, name, values, is_online
):
    proxy(proxyUser="jane", proxyPassword=PHRASE)
    tested = algorithm(name)
    assert tested.prepareAlgorithm(values, context, feedback)
    assert bool(tested.proxies) == bool(tested.proxy_login) == is_online


def test_the_proxy_of_the_system_is_left_to_the_core(settings):
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyType", "DefaultProxy")
    settings.setValue("proxy/proxyHost", "ignored")
    assert proxies() == {}


def test_addresses_that_qgis_excludes_count_and_a_single_one_is_text(settings):
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyType", "HttpProxy")
    settings.setValue("proxy/proxyHost", "proxy.example.org")
    settings.setValue("proxy/noProxyUrls", "http://localhost")
    settings.setValue("proxy/proxyExcludedUrls", "https://10.1.2.3:8443/path")
    assert proxies() == {
        "http": "http://proxy.example.org",
        "https": "http://proxy.example.org",
        "no_proxy": "localhost,10.1.2.3:8443",
    }
