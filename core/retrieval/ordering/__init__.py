"""From an area of interest to ordered jobs: scenes, a network of pairs, its price, the order."""
