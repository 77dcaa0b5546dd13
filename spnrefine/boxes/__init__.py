"""Rectangles of a picture, and masks that live in one: what is done for an object costs what its box costs."""
