"""Which frames and which pixels of a video make a clip."""
