"""The stack: its steps, its lazy dataset, its chunks, and the files it is written to."""
