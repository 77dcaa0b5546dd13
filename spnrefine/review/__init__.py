"""Pictures that show what a refinement did."""
