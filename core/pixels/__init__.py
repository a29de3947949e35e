"""From products to blocks of a stack: values, masks, mosaics, reference and precision."""
