"""HyP3 jobs: listed, filtered, and chosen for one stack."""
