"""Photographs and masks as arrays, and files that appear whole or not at all."""
