"""Finding HyP3 jobs and downloading their products."""
