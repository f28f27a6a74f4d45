"""Parts of figures: style, axes, bands, captions, files."""
