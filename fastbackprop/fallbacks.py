"""What answers a call that no kernel takes as it stands: a kernel by copies, or the reference, which the log records."""

import logging

from numpy import array

from fastbackprop import reference

logger = logging.getLogger("fastbackprop")


def by_reference(name, why):
    """The reference's function of this name, which is about to answer a call."""
    logger.debug("%s: the reference answers, since %s", name, why)
    return getattr(reference, name)


def on_copies(serve, operands, *rest):
    """What `serve` returns of copies of operands that it refused, though their dtypes and shapes fit.

    Kernels refuse strides that lead between the elements, as in a field of records; a copy has none.
    """
    results = serve(*(array(x, order="C") for x in operands), *rest)
    if results is None:
        raise RuntimeError("a kernel refused operands in C order")
    return results
