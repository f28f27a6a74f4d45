"""The measurement: views of videos through a tapped network become a report."""
