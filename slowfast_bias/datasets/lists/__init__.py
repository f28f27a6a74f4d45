"""List files: each data set publisher's format, read into rows of (path, label, part)."""
