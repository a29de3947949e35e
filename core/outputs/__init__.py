"""The outputs of one run, from laying out under hidden names to their own names."""
