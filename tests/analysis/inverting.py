"""Runs ``invertstack`` in this process."""

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import invert_stack
from tests.running import Run


def invert(stack, reporter=None, **parameters):
    reporter = reporter or SilentReporter()
    given = {"INPUT": str(stack)} | {name: str(value) for name, value in parameters.items()}
    outputs = invert_stack.run(given, None, reporter)
    return Run(outputs, reporter.infos, reporter.warnings)
