"""The figures of Kowal et al., each by one command: what to run, and what to make of it.

`runs_data` and `runs_toy` say which runs there are, a file per figure which of them it needs and
what it shows of them, `published` holds the paper's numbers, and `runner` does what is left to do.
"""
