"""The way to the HyP3 service: connections, credentials, answers and their failures."""
