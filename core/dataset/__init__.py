"""The stack as a lazy dataset, its steps, and the record of its making."""
