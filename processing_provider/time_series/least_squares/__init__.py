"""Small systems of equations, solved without NumPy: pairs to dates, functions of time."""
