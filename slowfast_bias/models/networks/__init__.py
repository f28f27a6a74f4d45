"""Networks of this project's own, one file each; they take plain arguments."""
