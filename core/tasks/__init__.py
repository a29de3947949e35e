"""One module per task of the core process; each has ``run(parameters, credentials, reporter)``.

``parameters`` are those of the contract. ``credentials`` are ``{"token"}`` or ``{"username",
"password"}`` for services, besides the login of a proxy, or None. What ``run`` returns are the
outputs of the algorithm; whatever goes wrong is a :class:`~core.errors.StackError`.
"""
