"""Accuracy over a list: of clips as they are, changed, or without some units."""
