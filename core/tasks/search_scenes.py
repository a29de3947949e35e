"""The task behind ``hyp3:searchscenes``: the scenes over an area, ranked by track."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..contract import Task
from ..pages.report_files import check_targets, write_text
from ..retrieval.jobs.features import features_target, write_collection
from ..retrieval.jobs.filters import read_paths
from ..retrieval.jobs.job_footprints import geojson_geometry
from ..retrieval.scenes.found_scenes import FIRST_DAY
from ..retrieval.scenes.scene_layer import SCENE_COLUMNS, SCENE_FIELDS, scene_properties
from ..retrieval.scenes.search_area import read_area
from ..retrieval.scenes.search_page import search_page, track_remarks, track_sentence
from ..retrieval.scenes.track_search import TrackChoice, search_tracks
from ..run.parameters import Parameters
from ..run.reporter import Reporter, complete


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Search scenes and write them as GeoJSON.

    Parameters
    ----------
    parameters
        Parameters of ``hyp3:searchscenes``. ``WORK_FOLDER`` is where the features go; without it,
        OUTPUT has to name a ``.geojson`` file.

    Returns
    -------
    dict
        ``COUNT`` (scenes), ``TRACKS`` (a line each, the best first), ``JOB_TYPE``,
        ``FEATURES_FILE``, ``FIELDS``, ``REPORT`` if it was asked for and, without ``WORK_FOLDER``,
        ``OUTPUT``.
    """
    values = Parameters(parameters, Task.SEARCH_SCENES)
    target, outputs = features_target(
        values, "scenes.geojson", SCENE_COLUMNS, "scenes that hyp3:searchscenes wrote"
    )
    report = values.output("REPORT")
    check_targets({"REPORT": report}, None)
    area = read_area(values)
    first, last = values.period()
    today = datetime.now(timezone.utc).date()
    period = max(first or FIRST_DAY, FIRST_DAY), min(last or today, today)
    choice = TrackChoice(values.choice("JOB_TYPE"), read_paths(values), values.choice("DIRECTION"))
    tracks = search_tracks(area, period, choice, reporter)
    sentences = [track_sentence(track) for track in tracks]
    for number, track in enumerate(tracks, start=1):
        reporter.info(f"{number}. {sentences[number - 1]}.")
        for remark in track_remarks(track):
            reporter.info(f"   {remark}.")
    scenes = [scene for track in tracks for scene in track.scenes]
    complete(reporter)
    write_collection(
        ((geojson_geometry(scene.footprint), scene_properties(scene)) for scene in scenes), target
    )
    if report is not None:
        write_text(report, search_page(tracks, area))
        outputs["REPORT"] = str(report)
    reporter.progress(100.0)
    return {
        "COUNT": len(scenes),
        "TRACKS": sentences,
        "JOB_TYPE": tracks[0].job_type,
        "FEATURES_FILE": str(target),
        "FIELDS": [list(column) for column in SCENE_FIELDS],
        **outputs,
    }
