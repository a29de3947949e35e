"""Registers the checkout as the package ``hyp3_stack``, whatever its folder is called.

The sample products that several packages of tests read are made when first asked for: the tests
that run in QGIS's Python have none of the packages that it takes.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _register_package() -> None:
    if "hyp3_stack" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "hyp3_stack", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["hyp3_stack"] = module
    spec.loader.exec_module(module)


_register_package()


@pytest.fixture(scope="session")
def gamma(tmp_path_factory):
    """Six noise-free interferograms with all layers, two of them in the neighboring zone."""
    from tests.stack.running import samples

    return samples(tmp_path_factory, products=6, rows=200, columns=220, noise=False)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Four small interferograms with few layers, one of them in the neighboring zone."""
    from tests.stack.running import samples

    return samples(
        tmp_path_factory,
        products=4,
        rows=60,
        columns=64,
        noise=False,
        layers=("unw_phase", "corr", "water_mask"),
        sidecars=False,
    )


@pytest.fixture(scope="session")
def object_service():
    """An S3 service on this computer with one bucket."""
    from tests.object_store.service import running_service

    with running_service() as service:
        yield service


@pytest.fixture
def object_store(object_service, monkeypatch):
    """The service without faults, and an environment with credentials for it."""
    from tests.object_store.service import CLEAN, CREDENTIALS

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**CLEAN, **CREDENTIALS}.items():
        monkeypatch.setenv(name, value)
    object_service.proxy.reset()
    yield object_service
    object_service.proxy.reset()
