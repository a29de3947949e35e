"""A real S3 service on this computer, and the ways in which such services fail."""
