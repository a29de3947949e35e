"""Re-runs: products of the same acquisitions, of which a stack takes one."""

from __future__ import annotations

from collections.abc import Sequence

from ..products.product import Product
from .acquisition_times import product_identity


def group_reruns(products: Sequence[Product]) -> list[list[Product]]:
    """Return the products of each pair or date together, the one to take first.

    That is the newest by the processing time in the README. Products without such a time come
    last, because the time of files is when they were copied rather than made; it only decides
    among themselves.
    """
    groups: dict[tuple[object, ...], list[Product]] = {}
    for product in products:
        groups.setdefault(product_identity(product), []).append(product)
    return [sorted(group, key=_age, reverse=True) for group in groups.values()]


def superseded_reason(product: Product, used: Product) -> tuple[str, str]:
    """Return why another product of a group is used.

    Parameters
    ----------
    product
        One that comes later in its group.
    used
        The one in use.

    Returns
    -------
    reason : str
        Why it is left out, a clause.
    sentence : str
        The same for the user.
    """
    both = f"{product} and {used} hold the same acquisitions"
    if product.readme.processed is not None:
        return f"older than {used}", f"{both}; the newer {used} is used."
    if used.readme.processed is not None:
        return (
            f"without a processing time, unlike {used}",
            f"{both}; {used} is used, because only its README says when it was made.",
        )
    return (
        f"of older files than {used}",
        f"{both}; {used} is used, whose files are newer, because no README says when they were "
        "made.",
    )


def _age(product: Product) -> tuple[bool, float, str]:
    processed = product.readme.processed
    if processed is not None:
        return True, processed.timestamp(), product.name.text
    return False, product.location.stat().st_mtime, product.name.text
