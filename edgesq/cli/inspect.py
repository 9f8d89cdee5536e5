"""`edgesq inspect`."""

from pathlib import Path

from edgesq.api.planning import inspected
from edgesq.builds import write_page
from edgesq.cli import terminal
from edgesq.cli.plan import print_peak
from edgesq.cli.tables import print_parity, print_sizes
from edgesq.files import check_output
from edgesq.records import plain
from edgesq.verify.memory import measured


def run(build: Path, json: Path | None, html: Path | None) -> None:
    """Print a build's sizes, its operators with their memory, and its parity table."""
    terminal.check_json(json)
    check_output(html, "--html")
    document = inspected(build)
    report, plan = document.report, document.plan
    if not terminal.is_stdout(json):
        print_sizes(report)
        if plan is not None:
            terminal.print_table(plan.table)
            print_peak(plan)
        print_parity(report.parity)
        terminal.say(f"model sha256 {report.model.sha256}")
    if html is not None:
        write_page(build, html, measured(build, report))
        terminal.say(f"Wrote {html}", to=terminal.err if terminal.is_stdout(json) else terminal.out)
    if json is not None:
        terminal.write_json(plain(document), json)
