"""Step after step: the loop, the optimiser, checkpoints and what is shown."""
