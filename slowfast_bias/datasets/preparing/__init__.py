"""From a download to list files: checks every video by decoding, makes copies of a smaller size."""
