"""What every flow needs: loaders, the network with its weights, and where results go."""
