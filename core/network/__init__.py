"""Networks of pairs: acquisitions, the pairs between them, components and triangles."""
