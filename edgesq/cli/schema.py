"""`edgesq schema`: what the JSON files hold, as JSON schemas made of the types that write them."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.cli.choices import Document


def run(document: Document) -> None:
    """Print the schema of a document."""
    from edgesq.records import schema

    terminal.write_json(schema(_record(document)), Path("-"))


def _record(document: Document) -> type:
    match document:
        case Document.REPORT:
            from edgesq.export import ExportReport

            return ExportReport
        case Document.VERIFY:
            from edgesq.verify import VerifyReport

            return VerifyReport
        case Document.EVALUATE:
            from edgesq.accuracy import AccuracyReport

            return AccuracyReport
        case Document.TARGET:
            from edgesq.targets import Target

            return Target
