"""Files that are written beside stacks: harmonized products."""
