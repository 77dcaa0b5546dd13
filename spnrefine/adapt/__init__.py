"""From a few photographs with good masks to how masks like theirs are refined best."""
