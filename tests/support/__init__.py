"""What tests share: files to read, networks to run, processes to run them in."""
