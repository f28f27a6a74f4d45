"""Activation maximisation of a run: which units, beside which clips, in which files."""
