"""`python -m edgesq` is the `edgesq` command."""

from edgesq.cli import main

main()
