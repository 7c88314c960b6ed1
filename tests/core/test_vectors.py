"""The published vectors for trees, notes, checkpoints, cosignatures and proof files."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.core.cosignature import check_cosignature, make_cosignature
from tallystick.core.errors import InvalidIdentifier
from tallystick.core.hashing import leaf_hash
from tallystick.core.identifiers import check_credit_code
from tallystick.core.keys import SigningKey
from tallystick.core.merkle import (
    check_consistency,
    check_inclusion,
    check_range,
    prove_consistency,
    prove_inclusion,
    prove_range,
    root_at,
    root_of,
)
from tallystick.core.note import (
    COSIGNATURE_V1,
    VerifierKey,
    add_signatures,
    check_signed_by_all,
    format_note,
    parse_note,
)
from tallystick.core.tiles import entries_path, tile_path
from tallystick.core.tlog_proof import (
    check_tlog_proof,
    format_tlog_proof,
    parse_tlog_proof,
)
from tallystick.core.tree import Tree

HERE = Path(__file__)
FILE = HERE.parents[1] / "vectors" / "tlog.json"
SHARED = HERE.parents[2].parent / "shared" / "vectors" / "tlog.json"

VECTORS: dict[str, Any] = json.loads(FILE.read_text())
LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]
ROOTS = {int(size): b64decode(root) for size, root in VECTORS["roots"].items()}
LEDGER, WITNESS = VECTORS["log"], VECTORS["witness"]
LEDGER_KEY = VerifierKey.parse(LEDGER["vkey"])
WITNESS_KEY = VerifierKey.parse(WITNESS["vkey"])


def tree_of(leaves: list[bytes]) -> tuple[Tree, dict[tuple[int, int], bytes]]:
    """A tree of these leaves and the full tiles it shed."""
    tree = Tree()
    return tree, {(tile.level, tile.number): tile.data for tile in tree.append(leaves)}


TREE, TILES = tree_of(LEAVES)
READ = TREE.reader(lambda level, number: TILES[level, number])


def hashes(texts: list[str]) -> list[bytes]:
    """Base64 hashes as bytes."""
    return [b64decode(text) for text in texts]


def test_the_copy_is_the_published_file() -> None:
    """The vectors in the repository are byte for byte those handed out."""
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is absent")
    assert FILE.read_bytes() == SHARED.read_bytes()


def test_roots() -> None:
    """Every published root is computed from the leaves and read back from the tree."""
    for size, root in ROOTS.items():
        assert root_of(LEAVES[:size]) == root
        assert root_at(size, READ) == root


def test_reference_roots_of_rfc6962() -> None:
    """The eight leaves every RFC 6962 implementation is tested with give its nine roots."""
    reference = VECTORS["rfc6962_reference"]
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in reference["leaves_hex"]]
    assert [root_of(leaves[:size]).hex() for size in range(9)] == reference["roots_hex"]


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda case: f"{case['index']}-in-{case['size']}")
def test_inclusion(case: dict[str, Any]) -> None:
    """A published inclusion proof is the one made here, and checks."""
    index, size, proof = case["index"], case["size"], hashes(case["proof"])
    assert b64decode(case["leaf"]) == LEAVES[index]
    assert prove_inclusion(index, size, READ) == proof
    check_inclusion(LEAVES[index], index, size, root_of(LEAVES[:size]), proof)


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda case: f"{case['old']}-to-{case['new']}")
def test_consistency(case: dict[str, Any]) -> None:
    """A published consistency proof is the one made here, and checks."""
    old, new, proof = case["old"], case["new"], hashes(case["proof"])
    assert prove_consistency(old, new, READ) == proof
    check_consistency(old, root_of(LEAVES[:old]), new, root_of(LEAVES[:new]), proof)


def test_subtree() -> None:
    """A range that ends with the tree is proven by the complete nodes left of it."""
    case = VECTORS["subtree"]
    start, end, proof = case["start"], case["end"], hashes(case["proof"])
    assert root_of(LEAVES[start:end]) == b64decode(case["root"])
    assert prove_range(start, end, end, READ) == proof
    check_range(start, LEAVES[start:end], end, ROOTS[end], proof)


def test_first_tile() -> None:
    """The first full tile has the published bytes."""
    assert sha256(TILES[0, 0]).hexdigest() == VECTORS["tile_0_000_sha256"]


def test_tile_paths() -> None:
    """Tiles and entry bundles are numbered as published."""
    paths = VECTORS["tile_paths"]
    assert tile_path(0, 0) == paths["0/0"]
    assert tile_path(0, 1234067) == paths["0/1234067"]
    assert tile_path(15, 455667) == paths["15/455667"]
    assert tile_path(15, 123456789, 41) == paths["15/123456789 width 41"]
    assert entries_path(0, 255) == paths["entries 251 of 255"]
    assert entries_path(1, 1) == paths["entries 256 of 257"]


def test_verifier_keys() -> None:
    """The published verifier keys follow from the seeds and names."""
    ledger, witness = SigningKey(b64decode(LEDGER["seed"])), SigningKey(b64decode(WITNESS["seed"]))
    assert VerifierKey.of(LEDGER["origin"], ledger.public).format() == LEDGER["vkey"]
    assert VerifierKey.of(WITNESS["name"], witness.public, COSIGNATURE_V1).format() == WITNESS["vkey"]
    assert (VerifierKey.parse(LEDGER["vkey"]), VerifierKey.parse(WITNESS["vkey"])) == (LEDGER_KEY, WITNESS_KEY)


def test_checkpoint() -> None:
    """Signing and cosigning give the published checkpoint byte for byte, and it opens."""
    ledger, witness = SigningKey(b64decode(LEDGER["seed"])), SigningKey(b64decode(WITNESS["seed"]))
    checkpoint = Checkpoint(LEDGER["origin"], 300, ROOTS[300])
    signed = sign_checkpoint(checkpoint, ledger)
    text = parse_note(signed).text
    cosignature = make_cosignature(text, WITNESS["timestamp"], witness, WITNESS["name"])
    data = add_signatures(signed, cosignature)
    assert data == VECTORS["checkpoint"].encode()
    assert format_note(parse_note(data)) == data
    assert open_checkpoint(data, LEDGER_KEY) == checkpoint
    assert check_signed_by_all(data, [LEDGER_KEY, WITNESS_KEY]).text == text
    assert check_cosignature(text, parse_note(data).signatures[1], WITNESS_KEY) == WITNESS["timestamp"]


def test_proof_file() -> None:
    """The published proof file reads, proves its leaf under both keys, and is written back unchanged."""
    data = VECTORS["tlog_proof"].encode()
    proof = parse_tlog_proof(data)
    assert (proof.extra, proof.index, list(proof.hashes)) == (None, 123, prove_inclusion(123, 300, READ))
    assert check_tlog_proof(proof, LEAVES[123], LEDGER_KEY, [WITNESS_KEY]).root == ROOTS[300]
    assert format_tlog_proof(proof) == data


@pytest.mark.parametrize("code", VECTORS["uscc"]["valid"])
def test_valid_credit_codes(code: str) -> None:
    """A real unified social credit code is taken."""
    assert check_credit_code(code) == code


@pytest.mark.parametrize("code", VECTORS["uscc"]["invalid"])
def test_invalid_credit_codes(code: str) -> None:
    """A code with a wrong check digit, letter or length is refused."""
    with pytest.raises(InvalidIdentifier):
        check_credit_code(code)
