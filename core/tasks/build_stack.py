"""The task behind ``hyp3:buildstack``: a folder of products becomes a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..assessment.report import report_outcome, stack_report
from ..build.build import build_stack
from ..build.design import plan_steps, report_expected
from ..build.stack_plan import BuildPlan, plan_stack
from ..build.stack_request import StackRequest
from ..build.stages import Built
from ..errors import Canceled, ProductError, StackError
from ..files.written_stack import open_stack
from ..grid.plan import Plan
from ..machine.atomic import remove_leftovers
from ..machine.memory import share_freed_memory
from ..outputs.publishing import check_places
from ..pages.report_files import write_text
from ..run.reporter import Reporter, complete, step
from ..run.waiting import run_cancellable
from ..stac.stac_catalog import item_path, write_catalog

_MAP = ("y", "x")


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Build a stack."""
    share_freed_memory()
    request = StackRequest.from_parameters(parameters)
    if not request.plan_only:
        check_places(request.build, request.report)
    return _run(request, reporter)


def _run(request: StackRequest, reporter: Reporter) -> dict[str, Any]:
    without: frozenset[str] = frozenset()
    while True:
        selection = replace(request.selection, without=without)
        try:
            planned = plan_stack(request.folder, selection, request.grid, request.build, reporter)
        except StackError:
            for path in request.build.files.values() if without else ():
                remove_leftovers(path)
            raise
        plan, base = planned.plan, planned.base
        request = replace(request, build=planned.build)
        if request.plan_only:
            return _report_plan(request, planned, reporter)
        if base is not None and planned.is_there:
            reporter.info(f"Nothing is new: {base.path} stays as it is.")
            complete(reporter)
            outputs = _outputs(request, plan, len(base.stack["product_name"]), base.variables)
            report = request.report
            if report is not None and report.exists():
                outputs["REPORT"] = str(report)
            else:
                report = _add_report(request, plan, None, outputs, reporter)
            _add_catalog(request, report, outputs, reporter)
            return outputs
        try:
            made: dict[str, Any] = {}
            finish = partial(_finish, request, plan, reporter, made)
            with step(reporter, 5.0, 100.0) as writing:
                build_stack(
                    plan,
                    planned.layers,
                    request.build,
                    writing,
                    base,
                    request.selection.skip_bad,
                    finish,
                )
            return made
        except ProductError as error:
            # Damage inside a file shows only when it is read. What other products gave is kept.
            if not request.selection.skip_bad or error.product is None:
                raise
            reporter.warning(f"Left out: {error}")
            without = without | {error.product}


def _report_plan(request: StackRequest, planned: BuildPlan, reporter: Reporter) -> dict[str, Any]:
    """Report what a build would write, and return its figures; nothing is written."""
    plan, base = planned.plan, planned.base
    figures = {**_figures(plan, len(plan_steps(plan, request.build))), "BYTES": 0, "DOWNLOAD": 0}
    if base is not None and planned.is_there:
        reporter.info(f"Nothing is new: {base.path} would stay as it is.")
    else:
        figures["BYTES"] = report_expected(plan, planned.layers, request.build, base, reporter)
    reporter.info("This was only the plan (PLAN_ONLY); nothing is written.")
    reporter.progress(100.0)
    return figures


def _finish(
    request: StackRequest,
    plan: Plan,
    reporter: Reporter,
    made: dict[str, Any],
    built: Built | None,
) -> None:
    """Add report and STAC item to a stack whose outputs have their names; report what was made."""
    if built is not None:
        dataset = built.dataset
    else:
        with open_stack(request.build.outputs[0].final) as stack:
            dataset = stack.raw
    steps = dataset.sizes["pair" if "pair" in dataset.sizes else "time"]
    reporter.info(f"The stack is complete: {steps} steps, {len(plan.left_out)} left out.")
    maps = (name for name in dataset.data_vars if dataset.variables[name].dims[-2:] == _MAP)
    variables = [str(name) for name in maps]
    outputs = _outputs(request, plan, steps, variables)
    report = _add_report(request, plan, built, outputs, reporter)
    try:
        _add_catalog(request, report, outputs, reporter)
    except (StackError, OSError) as error:
        reporter.warning(
            f"The stack is complete, but its STAC item was not made ({_words(error)}); APPEND with "
            "STAC makes one."
        )
    if not request.stac and request.stack is not None and item_path(request.stack).exists():
        reporter.warning(
            f"{item_path(request.stack)} describes an earlier stack of this name; run with STAC to "
            "write it anew, or delete its folder."
        )
    made.update(outputs)


def _add_report(
    request: StackRequest,
    plan: Plan,
    built: Built | None,
    outputs: dict[str, Any],
    reporter: Reporter,
) -> Path | None:
    """Write the report of a finished stack, where it is wanted; return it, if it was made."""
    report = request.report
    if report is None:
        return None
    stack, *others = [output.final for output in request.build.outputs]

    findings, assessment = (built.findings, built.assessment) if built else (None, None)
    make = partial(
        stack_report,
        stack,
        plan.describe(),
        findings,
        outputs["STEPS"],
        [path for path in others if isinstance(path, Path)],
        assessment,
    )
    try:
        # Only what leaves no trace may be left behind: a file that is written is an output.
        assessed, page = run_cancellable(make, reporter)
        report_outcome(assessed, reporter)
        write_text(report, page)
    except (StackError, OSError) as error:
        reason = "the run was canceled" if isinstance(error, Canceled) else _words(error)
        reporter.warning(
            f"The stack is complete, but its report {report} was not made ({reason}); "
            "hyp3:assessstack makes one."
        )
        return None
    outputs["REPORT"] = str(report)
    return report


def _add_catalog(
    request: StackRequest, report: Path | None, outputs: dict[str, Any], reporter: Reporter
) -> None:
    """Write the STAC item of a finished stack, where it is wanted."""
    if not request.stac:
        return
    build = request.build
    netcdf, zarr = build.files.get("NETCDF"), build.files.get("ZARR")
    item = write_catalog(netcdf, zarr, build.groups, report, build.remote)
    reporter.info(f"The STAC item is {item}.")
    outputs["STAC"] = str(item)


def _figures(plan: Plan, count: int) -> dict[str, Any]:
    """Return what the plan says of a stack, for the caller."""
    return {
        "STEPS": count,
        "SKIPPED": len(plan.left_out),
        "CRS": plan.grid.crs,
        "WIDTH": plan.grid.width,
        "HEIGHT": plan.grid.height,
    }


def _outputs(
    request: StackRequest, plan: Plan, count: int, variables: Sequence[str]
) -> dict[str, Any]:
    """Return what a stack is, for the caller."""
    outputs = {
        **_figures(plan, count),
        # Of the NetCDF file where there is one.
        "LAYERS": [request.build.outputs[0].source(name) for name in variables],
    }
    return outputs | {output.parameter: str(output.final) for output in request.build.outputs}


def _words(error: Exception) -> str:
    """Return an error for use in parentheses."""
    return (str(error) or type(error).__name__).rstrip(".")
