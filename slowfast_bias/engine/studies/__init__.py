"""Programs made of several runs: sweeps, dose response, the demo."""
