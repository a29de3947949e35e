"""Downloads the products of jobs into a folder: resumed, checked, one by one complete."""
