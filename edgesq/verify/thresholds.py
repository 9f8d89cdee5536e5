"""Thresholds that a run of verify must hold: `instructions>+1%`, against an earlier report or not.

An expression says what is not to be: METRIC, > or <, and a limit. A limit with a sign is a change
against the same figure of a baseline; one without is the figure itself.

    instructions>+1%    more than 1 % above the baseline's
    ram>+512            more than 512 B above it; K is 1,024 B, M 1,048,576
    flash>512K          more than 524,288 B, whatever there was
    accuracy<-0.5       more than half a point below the baseline's
    accuracy<97         below 97 %
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from edgesq.errors import EdgesqError, did_you_mean

Metrics = Mapping[str, float | None]
"""Figures of a report by the names of `METRICS`; None where it does not say."""

_BYTES = {"": 1, "B": 1, "K": 1 << 10, "KB": 1 << 10, "M": 1 << 20, "MB": 1 << 20}
_POINTS = {"": 1, "points": 1}
_DIGITS = 6
"""Decimal places that figures are compared by: shares are binary fractions."""


@dataclass(frozen=True)
class Metric:
    """A figure that a threshold can be about.

    Attributes:
        unit: shown behind it.
        units: what may stand behind a limit, and how much it is.
        absent: why a report may not say it.
    """

    unit: str
    units: Mapping[str, int]
    absent: str


_IMAGE = Metric(" B", _BYTES, "the firmware of the build is not compiled")
_COUNTED = "the board cannot tell, or several boards that are not alike share the images"
_JUDGED = "the images have no labels, or the model's outputs are not that many classes"

METRICS = {
    "instructions": Metric("", {"": 1}, f"{_COUNTED}; emulated boards count instructions"),
    "cycles": Metric("", {"": 1}, f"{_COUNTED}; QEMU's boards count instructions"),
    "us": Metric(" us", {"": 1}, f"{_COUNTED}; an emulated one takes no time: use instructions"),
    "ram": _IMAGE,
    "flash": _IMAGE,
    "arena": Metric(" B", _BYTES, "the build does not say"),
    "stack": Metric(" B", _BYTES, _COUNTED),
    "accuracy": Metric(" %", _POINTS, _JUDGED),
    "top5": Metric(" %", _POINTS, _JUDGED),
    "agreement": Metric(" %", _POINTS, "the build holds no float model, or there are no classes"),
}
"""By name. Instructions, cycles and microseconds are medians per image; ram and flash are of the
whole image by the linker, arena as planned; accuracy, top5 and agreement (with the float model) are
percent."""

OF_IMAGES = ("accuracy", "top5", "agreement")
"""Metrics that are another figure on other images."""

_FORM = re.compile(
    r"\s*([A-Za-z0-9_]+)\s*([<>])\s*([+-]?)\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(%|[A-Za-z]*)\s*"
)
_EXAMPLES = 'write it as "instructions>+1%", "ram>+512", "flash>512K" or "accuracy<-0.5"'


@dataclass(frozen=True)
class ThresholdResult:
    """What became of a threshold. The field names are the JSON's keys.

    Attributes:
        expression: as it was asked for.
        metric: which figure.
        baseline: that figure in the baseline; None where the limit is no change.
        now: that figure now.
        limit: what it must not be beyond.
        violated: whether it is.
    """

    expression: str
    metric: str
    baseline: float | None
    now: float
    limit: float
    violated: bool

    def __str__(self) -> str:
        """Return it as one line: the metric, the baseline, now and the limit."""
        unit = METRICS[self.metric].unit if self.metric in METRICS else ""
        before = "" if self.baseline is None else f"{_shown(self.baseline)}{unit} in the baseline, "
        now, limit = _shown(self.now), _shown(self.limit)
        return f"{self.expression}: {before}{now}{unit} now, the limit is {limit}{unit}"


@dataclass(frozen=True)
class Threshold:
    """An expression that was read.

    Attributes:
        expression: as it stands.
        metric: which figure.
        is_upper: whether more than the limit violates it; else less.
        change: what is added to the baseline's figure; a part of it where `is_part`. None where
            `limit` is the limit itself.
        is_part: whether `change` is a part.
        limit: the limit itself; None where it is a change.
    """

    expression: str
    metric: str
    is_upper: bool
    change: Fraction | None
    is_part: bool
    limit: Fraction | None

    @classmethod
    def of(cls, expression: str) -> "Threshold":
        """Read an expression.

        Raises:
            EdgesqError: it is none, or its metric or unit is not known.
        """
        found = _FORM.fullmatch(expression)
        if found is None:
            raise _refused(expression, "is no threshold", _EXAMPLES)
        name, compared, sign, digits, unit = found.groups()
        if name not in METRICS:
            raise _refused(expression, f"'{name}' is no metric", did_you_mean(name, METRICS))
        amount, is_part = _amount(expression, METRICS[name], sign, digits, unit)
        if not sign:
            return cls(expression, name, compared == ">", None, False, amount)
        change = -amount if sign == "-" else amount
        return cls(expression, name, compared == ">", change, is_part, None)

    def judge(self, now: float, before: float | None) -> ThresholdResult:
        """Compare a figure with the limit.

        Args:
            now: the figure.
            before: the baseline's; needed for a change alone.
        """
        limit = self.limit
        if self.change is not None:
            assert before is not None, "it was asked for"
            base = _exact(before)
            limit = base + (base * self.change if self.is_part else self.change)
        assert limit is not None
        violated = _exact(now) > limit if self.is_upper else _exact(now) < limit
        baseline = None if self.change is None else before
        return ThresholdResult(self.expression, self.metric, baseline, now, float(limit), violated)


def read_thresholds(expressions: Sequence[str]) -> tuple[Threshold, ...]:
    """Read expressions.

    Raises:
        EdgesqError: as `Threshold.of`, or it is one expression that stands in no list.
    """
    if isinstance(expressions, str):
        raise _refused(expressions, "is not in a list", f"give [{expressions!r}]")
    return tuple(map(Threshold.of, expressions))


def check_baseline(thresholds: Sequence[Threshold], before: Metrics | None) -> None:
    """Hold that a baseline says what changes are measured from.

    Args:
        thresholds: to be judged.
        before: figures of the baseline; None where there is none.

    Raises:
        EdgesqError: there is none, or it does not say a figure.
    """
    for one in thresholds:
        if one.change is None:
            continue
        if before is None:
            hint = "name an earlier verify.json with --baseline, or leave the sign out"
            raise _refused(one.expression, "is a change, and there is no baseline", hint)
        if before[one.metric] is None:
            hint = f"make it anew: {METRICS[one.metric].absent}"
            raise _refused(one.expression, f"the baseline does not say '{one.metric}'", hint)


def judge(
    thresholds: Sequence[Threshold], now: Metrics, before: Metrics | None
) -> tuple[ThresholdResult, ...]:
    """Judge figures by thresholds.

    Raises:
        EdgesqError: as `check_baseline`, or a figure is not known now.
    """
    check_baseline(thresholds, before)
    results = []
    for one in thresholds:
        figure = now[one.metric]
        if figure is None:
            hint = METRICS[one.metric].absent
            raise _refused(one.expression, f"this run does not say '{one.metric}'", hint)
        results.append(one.judge(figure, None if before is None else before[one.metric]))
    return tuple(results)


def _amount(
    expression: str, metric: Metric, sign: str, digits: str, unit: str
) -> tuple[Fraction, bool]:
    """Return how much a limit is, and whether it is a part of the baseline's figure."""
    is_share = metric.units is _POINTS
    if unit == "%" and is_share and sign:
        hint = "leave the % out: the change of a share is in points"
        raise _refused(expression, "is that percent, or points?", hint)
    if unit == "%" and not is_share and not sign:
        raise _refused(expression, "percent of what?", "put + or - before it for a change")
    if unit == "%":
        return (Fraction(digits), False) if is_share else (Fraction(digits) / 100, True)
    if unit not in metric.units:
        known = ", ".join(name for name in metric.units if name) or "none"
        raise _refused(expression, f"'{unit}' is no unit of it", f"known: {known}")
    return Fraction(digits) * metric.units[unit], False


def _exact(figure: float) -> Fraction:
    return Fraction(str(round(figure, _DIGITS)))


def _shown(figure: float) -> str:
    return f"{round(figure, 2):,.12g}"


def _refused(expression: str, why: str, hint: str) -> EdgesqError:
    return EdgesqError(why, where=f"--fail-if {expression}", hint=hint)
