"""What is said of one requirement, and small rules from which the larger ones are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..files.written_stack import WrittenStack

MET, NOT_MET, NOT_APPLICABLE, NEEDS_USER = "met", "not met", "not applicable", "needs the user"

NUMBERINGS = ("pair", "acquisition", "reference_acquisition", "secondary_acquisition")
"""Variables that number things and so have no unit."""

_LONGEST = 160


@dataclass(frozen=True)
class Verdict:
    """Outcome for one requirement."""

    status: str  # ``met``, ``not met``, ``not applicable`` or ``needs the user``
    evidence: tuple[str, ...] = ()  # what was found in the file
    explanation: str = ""  # why it is not met, or what limits it


Rule = Callable[[WrittenStack], Verdict]


def attributes(*names: str) -> Rule:
    """Ask for attributes of the stack."""

    def rule(stack: WrittenStack) -> Verdict:
        found = tuple(
            f"{name} = {_short(stack.attribute(name))}"
            for name in names
            if stack.attribute(name) is not None
        )
        missing = [name for name in names if stack.attribute(name) is None]
        return _outcome(found, [f"the attribute {name} is missing" for name in missing])

    return rule


def numbers(*names: str, units: str | None = None) -> Rule:
    """Ask for variables of which every value is there, numbers also with their unit."""

    def rule(stack: WrittenStack) -> Verdict:
        found, missing = [], []
        for name in names:
            known, values = stack.known(name), stack.values(name)
            if known is None or values is None:
                missing.append(f"the variable {name} is missing")
                continue
            if not known.all():
                missing.append(f"{name} is not known for {int((~known).sum())} of {known.size}")
                continue
            unit = stack.text("units", name)
            is_flag = stack.attribute("flag_meanings", name) is not None
            if values.dtype.kind != "U" and not unit and not is_flag and name not in NUMBERINGS:
                missing.append(f"{name} has no unit")
            elif units is not None and unit != units:
                missing.append(f"{name} is in {unit!r} instead of {units!r}")
            found.append(f"{name}: {_with_unit(values, unit)}")
        return _outcome(tuple(found), missing)

    return rule


def layers(*names: str) -> Rule:
    """Ask for layers with unit and fill value."""

    def rule(stack: WrittenStack) -> Verdict:
        found, missing = [], []
        for name in names:
            if name not in stack.layers:
                missing.append(f"the layer {name} is not in the stack")
                continue
            variable = stack.raw.variables[name]
            if not stack.text("units", name) or stack.attribute("_FillValue", name) is None:
                missing.append(f"{name} lacks its unit or fill value")
            found.append(
                f"{name}: {stack.form}, {variable.dtype} of {8 * variable.dtype.itemsize} bits, "
                f"{' x '.join(str(size) for size in variable.shape)}"
            )
        return _outcome(tuple(found), missing)

    return rule


def any_layer(*names: str) -> Rule:
    """Ask for one of several layers."""

    def rule(stack: WrittenStack) -> Verdict:
        for name in names:
            verdict = layers(name)(stack)
            if verdict.status == MET:
                return verdict
        return Verdict(NOT_MET, (), f"none of {', '.join(names)} is in the stack")

    return rule


def all_of(*rules: Rule, note: str = "") -> Rule:
    """Ask for everything that several rules ask for."""

    def rule(stack: WrittenStack) -> Verdict:
        verdicts = [item(stack) for item in rules]
        evidence = tuple(text for verdict in verdicts for text in verdict.evidence)
        bad = [verdict for verdict in verdicts if verdict.status != MET]
        if not bad:
            return Verdict(MET, evidence, note)
        order = (NOT_MET, NEEDS_USER, NOT_APPLICABLE)
        status = min((verdict.status for verdict in bad), key=order.index)
        explanation = "; ".join(verdict.explanation for verdict in bad if verdict.explanation)
        return Verdict(status, evidence, "; ".join(filter(None, (explanation, note))))

    return rule


def stated(status: str, reason: str, evidence: Sequence[str] = ()) -> Rule:
    """Give a fixed status and its reason, with what the stack has by the names of the evidence."""

    def rule(stack: WrittenStack) -> Verdict:
        found: tuple[str, ...] = ()
        for name in evidence:
            known = name in stack.raw.variables
            ask = layers if name in stack.layers else numbers if known else attributes
            found += ask(name)(stack).evidence
        return Verdict(status, found, reason)

    return rule


def with_order_hint(rule_of_layer: Rule, option: str) -> Rule:
    """Explain a layer that is missing by the option of the order."""

    def rule(stack: WrittenStack) -> Verdict:
        verdict = rule_of_layer(stack)
        if verdict.status == MET:
            return verdict
        return Verdict(NOT_MET, verdict.evidence, f"{verdict.explanation}; {option}")

    return rule


def _outcome(found: tuple[str, ...], missing: list[str]) -> Verdict:
    return Verdict(NOT_MET if missing else MET, found, "; ".join(missing))


def _short(value: Any) -> str:
    text = " ".join(str(value.tolist() if isinstance(value, np.ndarray) else value).split())
    is_address = "://" in text and " " not in text
    return text if is_address or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _with_unit(values: NDArray[Any], unit: str) -> str:
    """Return the range of values; of times as people write them."""
    if " since " in unit and values.dtype.kind == "f":
        times = xr.Variable("time", values[~np.isnan(values)], {"units": unit})
        try:
            decoded = xr.decode_cf(xr.Dataset({"times": times}))["times"].values
        except ValueError:  # a unit of another program
            decoded = values
        if decoded.size and decoded.dtype.kind == "M":
            ends = [f"{np.datetime_as_string(end, 's')}Z" for end in (decoded.min(), decoded.max())]
            return " to ".join(dict.fromkeys(ends))
    return _range(values) if unit in ("", "1") else f"{_range(values)} {unit}"


def _range(values: Any) -> str:
    flat = np.ravel(values)
    if flat.dtype.kind == "U":
        distinct = list(dict.fromkeys(flat.tolist()))
        more = f" and {len(distinct) - 1} more" if len(distinct) > 1 else ""
        return _short(distinct[0]) + more
    low, high = float(flat.min()), float(flat.max())
    return f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"
