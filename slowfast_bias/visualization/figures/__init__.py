"""One file a figure; each returns a `matplotlib.figure.Figure`."""
