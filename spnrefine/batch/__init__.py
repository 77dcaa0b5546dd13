"""From files to refined files: what one refinement reads and writes, and how a folder of them is worked through."""
