"""What a stack says about itself: discovery metadata, credit, provenance."""
