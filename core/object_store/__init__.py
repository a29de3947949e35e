"""Stacks in S3-compatible object stores: written chunk by chunk, visible when complete."""
