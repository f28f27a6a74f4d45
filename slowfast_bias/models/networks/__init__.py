"""Networks of this project's own, for hosts that lack their kind; they take plain arguments."""
