"""Solves small symmetric systems of equations: QGIS's Python need not have NumPy."""


def solve(rows, right, smallest=0.0):
    """Solve a symmetric positive definite system by elimination in the given order.

    ``rows`` are the upper triangle: one dictionary for each row, with the columns from the diagonal
    on, missing ones being 0. Both are overwritten; ``right`` becomes the solution and is returned.
    Raises ArithmeticError where a pivot is not larger than ``smallest`` times the diagonal before.
    """
    diagonal = [row[number] for number, row in enumerate(rows)]
    for number, row in enumerate(rows):
        if not row[number] > smallest * diagonal[number]:
            raise ArithmeticError("the system is singular")
        later = [(column, value) for column, value in row.items() if column > number]
        for column, value in later:
            factor = value / row[number]
            target = rows[column]
            for other, entry in later:
                if other >= column:
                    target[other] = target.get(other, 0.0) - factor * entry
            right[column] -= factor * right[number]
    for number in reversed(range(len(rows))):
        row = rows[number]
        known = sum(value * right[column] for column, value in row.items() if column > number)
        right[number] = (right[number] - known) / row[number]
    return right
