"""From scenes to a network of pairs that can be ordered, and what it costs."""
