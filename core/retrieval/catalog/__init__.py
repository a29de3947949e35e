"""What the ASF catalog knows of source scenes, kept on disk."""
