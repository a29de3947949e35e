"""A written stack in the formats of other programs."""
