"""Functions for test_ahead.py."""

from numba import carray


def add(control, count, numbers, out, more):
    numbers, out = carray(numbers, count), carray(out, count)
    for i in range(count):
        out[i] = numbers[i] + more


def fill(control, value):
    counters = carray(control, 2)
    counters[0] = counters[1] = value
