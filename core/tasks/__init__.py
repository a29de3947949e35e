"""One module per task of the core process; each has ``run(parameters, credentials, reporter)``."""
