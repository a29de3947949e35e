"""One grid for all products: where it lies, what is copied onto it and what is warped."""
