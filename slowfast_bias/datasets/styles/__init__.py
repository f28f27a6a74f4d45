"""Styles: other appearances of the same motion, generated or in folders of styled frames."""
