"""Least squares on a network of pairs, in plain numpy: the network, weights, functions of time."""
