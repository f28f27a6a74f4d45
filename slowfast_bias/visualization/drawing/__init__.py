"""What figures are made of: style, axes, bands, captions, files."""
