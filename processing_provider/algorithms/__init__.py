"""The algorithms of the Processing toolbox, one module each."""
