"""Measure the tool: its speed, its masks, and both beside those of its peers."""
