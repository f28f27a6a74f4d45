"""What can be known to be wrong before any work is done."""
