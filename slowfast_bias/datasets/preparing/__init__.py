"""From a download to list files: every video checked by decoding, copies of a smaller size."""
