"""`edgesq schema`: what the JSON files hold, as JSON schemas made of the types that write them."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.cli.choices import Document


def run(document: Document) -> None:
    """Print the schema of a document."""
    from edgesq.records import schema

    terminal.write_json(schema(_record(document)), Path("-"))


def _record(document: Document) -> type:
    from edgesq.accuracy import AccuracyReport
    from edgesq.api import documents
    from edgesq.builds import ExportReport
    from edgesq.targets import Target
    from edgesq.verify import VerifyReport
    from edgesq.verify.runtimes import Runtimes

    return {
        Document.REPORT: ExportReport,
        Document.VERIFY: VerifyReport,
        Document.EVALUATE: AccuracyReport,
        Document.TARGET: Target,
        Document.PLAN: documents.PlanDocument,
        Document.INSPECT: documents.InspectDocument,
        Document.TARGETS: documents.TargetsDocument,
        Document.FITS: documents.FitsDocument,
        Document.RUNTIMES: Runtimes,
    }[document]
