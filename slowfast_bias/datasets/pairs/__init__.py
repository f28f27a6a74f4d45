"""Pairs: views of a clip of which two at a time share one factor."""
