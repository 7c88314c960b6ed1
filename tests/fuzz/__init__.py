"""Every parser of what comes from outside, given anything at all: by hypothesis in the suite, and by `scripts/fuzz`."""
