"""Runs ``invertstack`` in this process, on pairs of which the motion is known."""

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import invert_stack
from tests.running import Run
from tests.sample_products import Signals

MOVING = Signals(
    motion=0.0, turbulent=0.0, stratified=0.0, height_error=0.0, linear=0.1, step=0.02, step_day=40
)


def invert(stack, reporter=None, **parameters):
    reporter = reporter or SilentReporter()
    given = {"INPUT": str(stack)} | {name: str(value) for name, value in parameters.items()}
    outputs = invert_stack.run(given, None, reporter)
    return Run(outputs, reporter.infos, reporter.warnings)
