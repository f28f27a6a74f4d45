"""Floor 4: what goes in: datasets, loaders, styles, pairs."""
