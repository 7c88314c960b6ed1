"""One target under atheris, as `scripts/fuzz` runs it: `python -m tests.fuzz.guided NAME CORPUS [OPTION…]`.

The options are libFuzzer's.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import atheris

# What a target reaches in these is what an input is worth. The TOML parser is Python too.
with atheris.instrument_imports(include=["tallystick", "tallystick_node", "tomllib"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Put the target's seeds into the corpus, and run it until its time is over or something is found."""
    name, corpus, *options = sys.argv[1:]
    target = TARGETS[name]
    for seed in target.seeds():
        (Path(corpus) / sha256(seed).hexdigest()[:40]).write_bytes(seed)
    atheris.Setup([sys.argv[0], corpus, *options], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
