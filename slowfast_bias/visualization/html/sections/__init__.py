"""The parts of the page, each a function from runs to a `Section`, or None without its numbers."""
