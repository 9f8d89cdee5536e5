"""What the tutorials and how-to pages list is all that there is."""

import ast
import re
from pathlib import Path

import pytest

from edgesq.verify.diagnose import Cause
from edgesq.verify.thresholds import METRICS
from support.paths import ROOT

HOW_TO = ROOT / "docs" / "how-to"
AUDITS = ("calibrate/audit.py", "quantize/audit.py", "quantize/scaling.py")


def checks_in(source: Path) -> list[str]:
    """Return the names of the checks whose rows a file makes."""
    calls = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
    rows = [
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "AuditRow"
    ]
    return [str(ast.literal_eval(row.args[0])) for row in rows]


def first_cells(page: str, heading: str) -> list[str]:
    """Return what stands in `code` at the beginning of the rows of a page below a heading."""
    text = (HOW_TO / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", text, re.M)


def test_every_warning_of_the_audit_is_explained() -> None:
    makers = {path for path in (ROOT / "edgesq").rglob("*.py") if "AuditRow(" in path.read_text()}
    assert makers == {ROOT / "edgesq" / name for name in AUDITS}
    made = [check for maker in makers for check in checks_in(maker)]
    explained = first_cells("calibrate.md", "What each warning means")
    assert sorted(explained) == sorted(made)


def test_every_cause_is_explained() -> None:
    explained = first_cells("find-the-wrong-layer.md", "Values differ")
    assert sorted(explained) == sorted(Cause)


@pytest.mark.parametrize("metric", METRICS)
def test_every_threshold_is_named(metric: str) -> None:
    text = (HOW_TO / "ci.md").read_text().partition("\n## Thresholds\n")[2].partition("\n## ")[0]
    assert f"`{metric}`" in text


def test_every_part_of_the_exports_page_is_explained() -> None:
    template = (ROOT / "edgesq" / "builds" / "report.html.j2").read_text()
    text = (HOW_TO / "read-the-report.md").read_text()
    table = text.partition("\n## The page of an export\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| ([A-Z][^|]*) \|", table, re.M)
    assert explained == re.findall(r"<h2>([^<{]+)</h2>", template)
