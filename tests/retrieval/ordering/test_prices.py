"""The price that is told before an order is the one that the service takes."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from hyp3_stack.core.errors import InvalidParameterError, RetrievalError
from hyp3_stack.core.retrieval.ordering.job_requests import (
    MULTI_BURST,
    JobRequest,
    pair_request,
    types_of_content,
)
from hyp3_stack.core.retrieval.ordering.prices import Prices, credits_text, fetch_prices
from tests.hyp3_server.faults import said

FRAMES = (
    "S1A_IW_SLC__1SDV_20190610T135156_20190610T135223_027617_031DEB_3AFD",
    "S1A_IW_SLC__1SDV_20190622T135157_20190622T135224_027792_03232E_7E6D",
)
GRD = "S1A_IW_GRDH_1SDV_20180128T161201_20180128T161226_020358_022C4C_1111"


def bursts(day: str, count: int) -> list[str]:
    return [
        f"S1_{136231 + number:06d}_IW2_{day}T0223{number * 3:02d}_VV_7C85-BURST"
        for number in range(count)
    ]


# By number of bursts from 1 to 15, as the documents of HyP3 list them.
MULTI_BURSTS = {
    "20x4": (1, 1, 1, 1, 5, 5, 5, 5, 5, 5, 5, 5, 10, 10, 10),
    "10x2": (1, 1, 1, 5, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 10),
    "5x1": (1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 90, 95, 100, 105, 110),
}


# Types that are not ordered here, with what they need: their price is told all the same.
OTHER_TYPES: dict[str, tuple[dict[str, Any], float]] = {
    "ARIA_S1_GUNW": (
        {"reference_date": "2020-06-16", "secondary_date": "2020-06-04", "frame_id": 27397},
        60,
    ),
    "OPERA_DISP_TMS": ({"frame_ids": [1, 2]}, 10001),
    "NISAR_GUNW": ({"granules": ["NISAR_L1_PR_RSLC_1", "NISAR_L1_PR_RSLC_2"]}, 1),
    "VOLCSARVATORY_MINTPY": ({}, 1),
    "AUTORIFT": ({"granules": list(FRAMES)}, 25),
    "ITS_LIVE_CROP": ({"granule_uri": "s3://its-live-data/a.nc"}, 1),
    "ITS_LIVE_CROP_BULK": ({"granules_parquet": "s3://its-live-data/a.parquet"}, 1),
    "ITS_LIVE_META_BULK": ({"granules_parquet": "s3://its-live-data/a.parquet"}, 1),
    "ARIA_RAIDER": ({"gunw_job_id": "1", "weather_model": "HRRR"}, 1),
    "ARIA_S1_COSEIS": ({"granules": [], "secondary_granules": [], "frame_id": 1}, 1),
    "INSAR_ISCE": ({"granules": [], "secondary_granules": [], "frame_id": 1}, 1),
    "OPERA_DIST_S1": ({"mgrs_tile_id": "11SLT", "track_number": 1, "post_date": "2020-06-16"}, 1),
    "WATER_MAP": ({"granules": [GRD]}, 1),
    "WATER_MAP_EQ": ({"granules": [GRD]}, 1),
    "SRG_GSLC": ({"granules": [GRD], "bounds": [0, 0, 1, 1]}, 1),
    "SRG_TIME_SERIES": ({"granules": [GRD], "bounds": [0, 0, 1, 1]}, 1),
}


def cases() -> dict[str, tuple[JobRequest, float]]:
    found: dict[str, tuple[JobRequest, float]] = {}
    for looks, credits in (("20x4", 10), ("10x2", 15)):
        request = pair_request("INSAR_GAMMA", FRAMES[:1], FRAMES[1:], {"looks": looks})
        found[f"frames {looks}"] = request, credits
    for looks, row in MULTI_BURSTS.items():
        options: dict[str, Any] = {"looks": looks}
        sides = bursts("20200604", 1), bursts("20200616", 1)
        found[f"burst {looks}"] = pair_request("INSAR_ISCE_BURST", *sides, options), 1
        for count, credits in enumerate(row, start=1):
            sides = bursts("20200604", count), bursts("20200616", count)
            request = pair_request("INSAR_ISCE_MULTI_BURST", *sides, options)
            found[f"{count} bursts {looks}"] = request, credits
    for resolution, credits in ((30, 5), (20.0, 15), (10, 60)):
        parameters = {"granules": [GRD], "resolution": resolution}
        found[f"backscatter {resolution}"] = JobRequest("RTC_GAMMA", parameters), credits
    for job_type, (parameters, credits) in OTHER_TYPES.items():
        found[job_type] = JobRequest(job_type, parameters), credits
    return found


CASES = cases()


@pytest.mark.parametrize("case", CASES)
def test_price_is_that_of_the_service(service, credentials, reporter, case):
    request, expected = CASES[case]
    assert fetch_prices(service.url, reporter).of(request.job_type, request.parameters) == expected
    if case not in OTHER_TYPES:
        service.know_scenes(request.granules)
    service.user.remaining_credits = 20_000  # OPERA_DISP_TMS is out of reach for a month's
    answer = requests.post(
        f"{service.url}/jobs",
        json={"jobs": [request.body("prices")], "validate_only": True},
        headers={"Authorization": f"Bearer {credentials['token']}"},
        timeout=10,
    )
    assert answer.json()["jobs"][0]["credit_cost"] == expected
    assert not service.jobs
    assert service.user.remaining_credits == 20_000


def test_each_type_of_the_table_has_a_price(service, reporter):
    """Also those that no case has; none of them depends on parameters."""
    prices = fetch_prices(service.url, reporter)
    others = prices.table.keys() - {request.job_type for request, _ in CASES.values()}
    assert len(others) == 8
    assert [prices.of(job_type, {}) for job_type in others] == [1.0] * 8


@pytest.mark.parametrize(
    ("job_type", "parameters", "words"),
    [
        ("AUTORIFT_NEW", {}, "does not offer jobs of the type AUTORIFT_NEW"),
        ("INSAR_GAMMA", {"looks": "5x1"}, "gives no price"),
        ("INSAR_GAMMA", {}, "gives no price"),
        ("INSAR_ISCE_MULTI_BURST", {"looks": "20x4", "reference": ["B"] * 16}, "looks, reference"),
        ("FREE", {}, "gives no price"),
        ("LIST", {}, "gives no price"),
    ],
)
def test_no_price_is_an_error(service, reporter, job_type, parameters, words):
    table = fetch_prices(service.url, reporter).table
    prices = Prices(service.url, {**table, "FREE": {"cost": -1}, "LIST": {"cost_table": [1]}})
    with pytest.raises(RetrievalError, match=words):
        prices.of(job_type, parameters)


def test_prices_are_asked_for_without_login(service, reporter):
    fetch_prices(service.url, reporter)
    assert service.log.secrets() == {"api": set()}


def test_something_else_than_prices_is_refused(service, reporter):
    service.api_faults.add("costs", said({"jobs": []}))
    with pytest.raises(RetrievalError, match="without prices"):
        fetch_prices(service.url, reporter)


@pytest.mark.parametrize(
    ("credits", "text"),
    [(1, "1 credit"), (0, "0 credits"), (1250, "1,250 credits"), (2.5, "2.5 c")],
)
def test_credits_in_words(credits, text):
    assert credits_text(credits).startswith(text)


def request_with(**options: Any) -> JobRequest:
    return JobRequest("INSAR_GAMMA", {"granules": list(FRAMES), **options})


def test_same_content_has_one_key():
    plain = request_with()
    assert plain.key == pair_request("INSAR_GAMMA", FRAMES[:1], FRAMES[1:], {}).key
    assert plain.key == request_with(looks="20x4", include_dem=False, newer_flag=False).key
    assert plain.key == request_with(phase_filter_parameter=0.6, include_dem=None).key
    assert plain.key == JobRequest("INSAR_GAMMA", {"granules": list(FRAMES[::-1])}).key
    assert (
        request_with(phase_filter_parameter=1).key == request_with(phase_filter_parameter=1.0).key
    )


@pytest.mark.parametrize(
    "options",
    [{"looks": "10x2"}, {"include_dem": True}, {"phase_filter_parameter": 0}, {"newer": "word"}],
)
def test_other_content_has_another_key(options):
    assert request_with().key != request_with(**options).key
    assert request_with().scenes_key == request_with(**options).scenes_key


def test_one_burst_is_the_same_under_both_types():
    sides = bursts("20200604", 1), bursts("20200616", 1)
    single, multi = (
        pair_request(job_type, *sides, {}) for job_type in ("INSAR_ISCE_BURST", MULTI_BURST)
    )
    assert single.key == multi.key
    assert single.scenes_key == multi.scenes_key
    assert pair_request("INSAR_ISCE_BURST", *sides[::-1], {}).key == multi.key
    assert pair_request(MULTI_BURST, *sides[::-1], {}).key != multi.key
    for options in ({"looks": "5x1"}, {"apply_water_mask": True}):
        assert pair_request(MULTI_BURST, *sides, options).key != single.key
    two = bursts("20200604", 2), bursts("20200616", 2)
    odd = JobRequest("INSAR_ISCE_BURST", {"reference": two[0], "secondary": two[1]})
    assert odd.key != pair_request(MULTI_BURST, *two, {}).key
    assert types_of_content(["INSAR_ISCE_BURST"]) == types_of_content([MULTI_BURST])
    assert types_of_content(["INSAR_GAMMA"]) == {"INSAR_GAMMA"}


def test_a_job_has_no_looks_that_its_type_lacks():
    with pytest.raises(InvalidParameterError, match="only: 20x4, 10x2"):
        pair_request("INSAR_GAMMA", FRAMES[:1], FRAMES[1:], {"looks": "5x1"})
    with pytest.raises(InvalidParameterError, match="RTC_GAMMA"):
        pair_request("RTC_GAMMA", [GRD], [], {})
