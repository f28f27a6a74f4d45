"""Styles: other looks for the same motion, generated or in folders of styled frames."""
