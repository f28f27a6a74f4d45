"""Programs of several runs: sweeps, dose response, the demo."""
