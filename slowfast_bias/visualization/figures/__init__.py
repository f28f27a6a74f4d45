"""One file per figure; each returns a `matplotlib.figure.Figure`."""
