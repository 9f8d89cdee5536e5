"""The command line: the only place that prints, catches and exits."""


def main() -> None:
    """Run the `edgesq` command."""
    from edgesq.cli.app import app

    app()
