"""How good a network in training is, on pairs held aside."""
