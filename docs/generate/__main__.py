"""`python -m generate FOLDER`: stage the site's pages there; what the Makefile runs."""

import sys
from pathlib import Path

from generate import stage

stage(Path(sys.argv[1]))
