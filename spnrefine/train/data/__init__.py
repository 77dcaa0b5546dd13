"""Photographs and masks read for training, in memory, and where a patch looks at them."""
