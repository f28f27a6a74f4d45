"""Networks of our own, for hosts that lack them; with the parameter names of published files."""
