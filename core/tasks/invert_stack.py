"""The task behind ``hyp3:invertstack``: from a stack of pairs to displacement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..analysis.inversion_request import InversionRequest
from ..analysis.inversion_run import Inverted, StackInversion
from ..analysis.report.inversion_report import inversion_page
from ..analysis.report.run_summary import report_result
from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import StackError
from ..files.written_stack import open_stack
from ..machine.memory import share_freed_memory
from ..outputs.publishing import check_places
from ..pages.report_files import write_text
from ..run.reporter import Reporter


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Invert a stack."""
    share_freed_memory(keep=True)
    request = InversionRequest.from_parameters(parameters)
    outputs: dict[str, Any] = {}

    def finish(inverted: Inverted) -> None:
        report_result(inverted, reporter)
        outputs.update(_outputs(request, inverted))
        if _write_report(request, inverted, reporter):
            outputs["REPORT"] = str(request.report)

    check_places(request.outputs, request.report)
    with open_stack(request.source, TEMPORAL_GROUP, "INPUT", reporter) as stack:
        StackInversion(stack, request, reporter).run(finish)
    return outputs


def _write_report(request: InversionRequest, inverted: Inverted, reporter: Reporter) -> bool:
    """Write the report on a displacement stack that is complete; return whether it was made."""
    report = request.report
    if report is None:
        return False
    try:
        with open_stack(request.outputs.outputs[0].final, SPATIAL_GROUP) as displacement:
            write_text(report, inversion_page(displacement, inverted.repair))
    except (StackError, OSError) as error:
        reporter.warning(
            f"The displacement is complete, but its report {report} was not made "
            f"({str(error).rstrip('.')}); run again with another REPORT."
        )
        return False
    return True


def _outputs(request: InversionRequest, inverted: Inverted) -> dict[str, Any]:
    options, network = request.outputs, inverted.network
    outputs: dict[str, Any] = {
        "DATES": network.date_count,
        "PAIRS": network.pair_count,
        "COMPONENTS": network.component_count,
        "REFERENCE": f"{inverted.area} [{inverted.grid.crs}]",
        "LAYERS": [options.outputs[0].source(name) for name in inverted.layers],
    }
    return outputs | {output.parameter: str(output.final) for output in options.outputs}
