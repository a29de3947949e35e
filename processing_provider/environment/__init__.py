"""The core environment: the Python that it is based on, its making, and where it is found."""
