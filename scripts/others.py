"""What others' tools make of what a cluster wrote: `tests/interop`, in Go, reads it, checks it, writes it again.

Five bureaus record, a quorum cosigns, one entry is proven in a file; torchwood and transparency-dev/formats verify
file, checkpoint and cosignatures by the charter's keys, and write the same bytes. Then a cosignature made there is
checked here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tallystick.core.checkpoint import parse_checkpoint
from tallystick.core.cosignature import check_cosignature
from tallystick.core.keys import SigningKey
from tallystick.core.note import COSIGNATURE_V1, VerifierKey, format_note, parse_note
from tallystick_node.cluster.local import LocalCluster

BUREAU = "market-regulation"
INTEROP = Path(__file__).parents[1] / "tests" / "interop"


def main() -> int:
    """0 where all agree, 1 where not."""
    with TemporaryDirectory() as folder, LocalCluster.up(Path(folder) / "cluster", 5) as cluster:
        for number in range(300):  # enough for a tile, and a path of nine hashes
            cluster[BUREAU].sdk.declare(f"SCJG-{number:04}", scheme="pudong", title="Licences", sharing="unconditional")
        version = cluster[BUREAU].sdk.provide("SCJG-0299", file=__file__, version="2026-11")
        with cluster[BUREAU].sdk.sending(version, to="taxation", wait_witnessed_s=30.0) as sending:
            pass
        proven = cluster.auditor.show(sending.ref)
        proof = cluster.auditor.prove(sending.ref)
        charter, bureau = cluster.charter, cluster[BUREAU].bureau
        quorum = charter.quorum_of(bureau)
        assert quorum is not None
        keys = [bureau.ledger_key, *(witness.witness_key for witness in charter.witnesses_of(bureau))]
    command = ["go", "run", ".", bureau.origin, str(quorum.needed), sending.ref.leaf.hex(), *keys]
    ran = subprocess.run(command, cwd=INTEROP, input=proof, stdout=subprocess.PIPE, check=False)
    if ran.returncode:
        return 1
    note = parse_note(ran.stdout)
    key = VerifierKey.of("interop.example/witness", SigningKey(bytes(32)).public, COSIGNATURE_V1)
    check_cosignature(note.text, note.signatures[0], key)
    if format_note(note) != ran.stdout or parse_checkpoint(note.text).root != proven.checkpoint.root:
        print("a note cosigned in Go reads otherwise here", file=sys.stderr)
        return 1
    print("cosigned in Go   a note by torchwood's signer, verified and written again here", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
