"""Sample products that several packages of tests read, and the package ``hyp3_stack``.

The products are made when first asked for: the tests that run in QGIS's Python have none of the
packages that it takes.
"""

import pytest

from tests.checkout import ROOT  # noqa: F401 - registers the package hyp3_stack
from tests.once import once


def pytest_collection_modifyitems(items):
    """Begin with modules that take long, so that no process is left with one at the end."""
    long = {
        item.path
        for item in items
        if item.get_closest_marker("slow") or item.get_closest_marker("qgis")
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def gamma(tmp_path_factory):
    """Six noise-free interferograms with all layers, two of them in the neighboring zone."""
    from tests.running import samples

    return samples(tmp_path_factory, products=6, rows=200, columns=220, noise=False)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Four small interferograms with few layers, one of them in the neighboring zone."""
    from tests.running import samples

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
def small_stack(small, tmp_path_factory):
    """Their stack, as NetCDF."""
    from tests.running import build

    return once(
        tmp_path_factory, "small", lambda folder: build(small.folder, NETCDF=folder / "s.nc")
    )


@pytest.fixture(scope="session")
def built(gamma, tmp_path_factory):
    """The stack of ``gamma`` with default options, as NetCDF and as Zarr."""
    from tests.running import build

    def make(folder):
        return build(gamma.folder, NETCDF=folder / "stack.nc", ZARR=folder / "stack.zarr")

    return once(tmp_path_factory, "built", make)


@pytest.fixture(scope="session")
def per_pair(gamma, tmp_path_factory):
    """The stack of ``gamma`` with the static layers of every product."""
    from tests.running import build

    def make(folder):
        return build(gamma.folder, NETCDF=folder / "stack.nc", STATIC_LAYERS="per_pair")

    return once(tmp_path_factory, "per-pair", make)


@pytest.fixture(scope="session")
def stacks(tmp_path_factory):
    """One built stack of each product type, with its report."""
    from tests.written_stacks import write_each

    return once(tmp_path_factory, "stacks", write_each)


TYPES = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST", "RTC_GAMMA")


@pytest.fixture(params=TYPES)
def written(request, stacks):
    """The stack of one product type."""
    return stacks[request.param]


@pytest.fixture(scope="session")
def gamma_stack(stacks):
    """The stack of interferograms made with GAMMA."""
    return stacks["INSAR_GAMMA"]


@pytest.fixture(scope="session")
def rtc_stack(stacks):
    """The stack of backscatter."""
    return stacks["RTC_GAMMA"]


@pytest.fixture(scope="session")
def moving(tmp_path_factory):
    """Interferograms of a linear motion and a step, without noise."""
    from tests.analysis.inverting import MOVING
    from tests.running import samples

    return samples(
        tmp_path_factory,
        products=15,
        rows=60,
        columns=70,
        noise=False,
        sidecars=False,
        neighbor_zone_share=0.0,
        layers=("unw_phase", "corr", "dem", "lv_theta", "lv_phi", "water_mask"),
        signals=MOVING,
    )


@pytest.fixture(scope="session")
def moving_stack(moving, tmp_path_factory):
    """Their stack, as NetCDF and Zarr."""
    from tests.running import build

    def make(folder):
        return build(moving.folder, NETCDF=folder / "pairs.nc", ZARR=folder / "pairs.zarr")

    return once(tmp_path_factory, "moving", make)


@pytest.fixture(scope="session")
def inverted(moving_stack, tmp_path_factory):
    """Its displacement with default options, as NetCDF and Zarr."""
    from tests.analysis.inverting import invert

    def make(folder):
        return invert(
            moving_stack.zarr, NETCDF=folder / "displacement.nc", ZARR=folder / "displacement.zarr"
        )

    return once(tmp_path_factory, "inverted", make)


@pytest.fixture(scope="session")
def object_service():
    """An S3 service on this computer with one bucket."""
    from s3fs import S3FileSystem

    from hyp3_stack.core.object_store.location import close_connections
    from tests.object_store.service import running_service

    with running_service() as service:
        yield service
        # s3fs keeps those of xarray's readers for the next ones.
        for files in S3FileSystem._cache.values():
            close_connections(files)


@pytest.fixture
def object_store(object_service):
    """The service without faults, and an environment with credentials for it."""
    from tests.object_store.service import logged_in

    with logged_in(object_service):
        yield object_service
