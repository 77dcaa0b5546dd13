"""Run the command line: ``python -m spnrefine``."""

from spnrefine.cli import main

main(prog_name="spnrefine")
