"""Credentials and proxies as QGIS keeps them."""

import pytest
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsProcessingException

from hyp3_stack.processing_provider.network import credentials, proxies

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


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("HttpProxy", "http://proxy.example.org:8080"),
        ("Socks5Proxy", "socks5h://proxy.example.org:8080"),
    ],
)
def test_proxy_of_qgis_without_its_credentials(settings, kind, address):
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyType", kind)
    settings.setValue("proxy/proxyHost", "proxy.example.org")
    settings.setValue("proxy/proxyPort", "8080")
    settings.setValue("proxy/proxyUser", "jane")
    settings.setValue("proxy/proxyPassword", PHRASE)
    settings.setValue("proxy/noProxyUrls", ["http://localhost/", "https://intern.example.org/a"])
    assert proxies() == {
        "http": address,
        "https": address,
        "no_proxy": "localhost,intern.example.org",
    }


def test_the_proxy_of_the_system_is_left_to_the_core(settings):
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyType", "DefaultProxy")
    settings.setValue("proxy/proxyHost", "ignored")
    assert proxies() == {}


def test_a_single_address_without_proxy_is_text_in_the_settings(settings):
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyType", "HttpProxy")
    settings.setValue("proxy/proxyHost", "proxy.example.org")
    settings.setValue("proxy/noProxyUrls", "http://localhost")
    assert proxies() == {
        "http": "http://proxy.example.org",
        "https": "http://proxy.example.org",
        "no_proxy": "localhost",
    }
