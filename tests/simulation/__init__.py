"""The liar's bench: real node code on virtual time, a simulated network and simulated disks; one seed, one history."""
