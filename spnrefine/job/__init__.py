"""One refinement, from a photograph and a mask to a refined mask and a record of it."""
