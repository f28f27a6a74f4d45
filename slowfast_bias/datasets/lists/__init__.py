"""List files: what each data set's publisher writes, read into rows of (path, label, part)."""
