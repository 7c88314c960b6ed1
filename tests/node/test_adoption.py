"""A node and the versions of its charter: it goes by what follows and fits its ledger and keys, recorded once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tallystick.core.charter_chain import Version, follow, read_version
from tallystick.core.charter_draft import draft
from tallystick.core.charter_note import sign_charter
from tallystick.core.errors import (
    CharterForked,
    CharterMismatch,
    ConfigInvalid,
    DirectoryHeld,
    NotAllowed,
    SignatureInvalid,
)
from tallystick.core.note import encode_base64, parse_note, sign_note
from tallystick.core.submission import prepare, seal
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import load_key
from tallystick_node.adoption import adopt_version, last_adopted, new_id
from tallystick_node.renewal import renewed
from tallystick_node.server import Node
from tests.harness import loop
from tests.harness.office import Office, key_of
from tests.harness.small_home import checked_home, loaded

ORIGIN = "pudong.example/market"
YEAR_US = 365 * 24 * 3600 * 1_000_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a charter of its own, whose one key it holds; its ledger is sound when the test is over."""
    with checked_home(tmp_path / "home") as home:
        yield home


def current(home: Path) -> Version:
    settings = loaded(home)
    return read_version(settings.place(settings.config.charter).read_bytes())


def signed_version(home: Path, text: str, name: str = "next.note") -> Path:
    """A version signed by the home's charter key."""
    key = load_key(home / "keys" / "charter.key")
    (home / name).write_bytes(sign_charter(text, [("pudong.example/market/charter", key)]))
    return home / name


def next_file(home: Path, name: str = "next.note", /, **edits: Any) -> Path:
    """The next version, in which the bureau differs by these edits."""
    before = current(home)
    asked = tomli_w.dumps({"bureau": [{"id": "market", **edits}]})
    return signed_version(home, draft(before, asked, before.charter.issued), name)


def started(home: Path) -> tuple[int, tuple[int, str] | None]:
    """The size of the ledger and what it adopted last, once the node was started and stopped."""
    node = Node.open(loaded(home))
    try:
        loop.run(node.start())
        loop.run(node.stop())
        ledger = node.sequencer.ledger
        return ledger.state.size, last_adopted(ledger)
    finally:
        node.close()


def test_a_version_is_gone_by_and_recorded_once(home: Path) -> None:
    """Settings name it and its file, the one before stays, and the next start records it, the one after nothing."""
    first = current(home)
    assert started(home) == (3, (1, first.digest))
    second = adopt_version(loaded(home), next_file(home, endpoint="127.0.0.1:1"), now_us())
    assert adopt_version(loaded(home), home / "next.note", now_us()) == second
    config = loaded(home).config
    assert (config.charter, config.charter_digest) == ("charter-2.note", second.digest)
    assert current(home).charter == second.charter
    assert (home / "charter.note").read_bytes() == first.note
    for _ in range(2):
        assert started(home) == (4, (2, second.digest))


@pytest.mark.parametrize("offices", [("ledger",), ("witness",), ("registrar",), ("ledger", "witness", "registrar")])
def test_renewed_keys_are_taken_up(home: Path, offices: tuple[str, ...]) -> None:
    """New keys lie beside the old until the version that names them is adopted; then the node signs with them."""
    stanza = renewed(loaded(home), offices)
    assert renewed(loaded(home), offices) == stanza
    adopt_version(loaded(home), next_file(home, **stanza), now_us())
    keys = loaded(home).config.keys
    assert keys.ledger == ("keys/ledger-2.key" if "ledger" in offices else "keys/ledger.key")
    assert keys.witness == ("keys/witness-2.key" if "witness" in offices else "keys/witness.key")
    assert started(home)[0] == 4
    market = current(home).charter.by_id("market")
    assert len(market.retired) == len(offices)
    assert {each.size for each in market.retired} <= {0, 3}


def test_what_the_old_key_signs_beyond_the_floor_keeps_a_version_from_fitting(home: Path) -> None:
    """A node that went on after its floor was taken cannot give that key up there; pinned anew it can."""
    floor = renewed(loaded(home), ())["floor"]
    adopt_version(loaded(home), next_file(home, endpoint="127.0.0.1:1"), now_us())
    assert started(home)[0] == 4
    stanza = renewed(loaded(home), ("ledger",))
    before = loaded(home).path.read_text()
    with pytest.raises(ConfigInvalid, match=r"#3 is signed by a key that the charter ends at 3"):
        adopt_version(loaded(home), next_file(home, **stanza | {"floor": floor}), now_us())
    assert loaded(home).path.read_text() == before
    adopt_version(loaded(home), next_file(home, **stanza), now_us())
    assert started(home)[0] == 5


@pytest.mark.parametrize("size", [2, 4])
def test_a_floor_that_the_ledger_does_not_extend_is_not_gone_by(home: Path, size: int) -> None:
    """More entries than there are, or another root: neither adopted, nor served where the settings name it."""
    file = next_file(home, floor={"size": size, "root": encode_base64(bytes(32))})
    with pytest.raises(ConfigInvalid, match="does not extend"):
        adopt_version(loaded(home), file, now_us())
    text = loaded(home).path.read_text()
    digest = follow([current(home)], file.read_bytes()).digest
    edited = text.replace(current(home).digest, digest).replace('"charter.note"', '"next.note"')
    loaded(home).path.write_text(edited)
    with pytest.raises(ConfigInvalid, match="does not extend"):
        Node.open(loaded(home))
    loaded(home).path.write_text(text)


def test_a_version_of_keys_that_are_not_here_is_not_gone_by(home: Path, tmp_path: Path) -> None:
    """The private half of each key it names must be in the home."""
    stanza = renewed(loaded(home), ("ledger",))
    (home / "keys" / "ledger-2.key").rename(tmp_path / "elsewhere.key")
    with pytest.raises(ConfigInvalid, match=r"no key here is pudong\.example/market\+.*ledger-2\.key"):
        adopt_version(loaded(home), next_file(home, **stanza), now_us())


def test_an_actors_key_does_not_become_the_nodes(home: Path) -> None:
    """A key that the ledger registered for somebody stands under that name, and no version can give it another."""
    shutil.copy(home / "keys" / "clerk.key", home / "keys" / "ledger-2.key")
    with pytest.raises(ConfigInvalid, match=r"the key stands under market:node already"):
        adopt_version(loaded(home), next_file(home, **renewed(loaded(home), ("ledger",))), now_us())


def test_an_expired_version_is_not_gone_by(home: Path) -> None:
    """A term that is over records nothing."""
    with pytest.raises(ConfigInvalid, match="it expired on"):
        adopt_version(loaded(home), next_file(home), now_us() + 2 * YEAR_US)


def test_a_version_nobody_signed_for_is_not_gone_by(home: Path) -> None:
    """Another key under the holder's name is a stranger's, and so is another charter of the same number."""
    text = parse_note(next_file(home).read_bytes()).text
    (home / "next.note").write_bytes(sign_note(text, ("pudong.example/market/charter", key_of("stranger"))))
    with pytest.raises(SignatureInvalid, match="no known key"):
        adopt_version(loaded(home), home / "next.note", now_us())
    (home / "next.note").write_bytes(Office().charter()[0])
    with pytest.raises(CharterMismatch, match="its holders did not sign it"):
        adopt_version(loaded(home), home / "next.note", now_us())


def test_two_second_versions_are_a_fork(home: Path) -> None:
    """Once one is kept here, another by the same holders is called what it is, whichever is gone by."""
    one, other = (
        next_file(home, "one.note", endpoint="127.0.0.1:1"),
        next_file(home, "two.note", endpoint="127.0.0.1:2"),
    )
    settings = loaded(home)
    adopt_version(settings, one, now_us())
    with pytest.raises(CharterForked, match="two versions 2"):
        adopt_version(loaded(home), other, now_us())
    with pytest.raises(CharterForked, match="another version 2"):
        adopt_version(settings, other, now_us())


def test_a_running_node_is_left_alone(home: Path) -> None:
    """Its database is held, and nothing changes."""
    node = Node.open(loaded(home))
    before = loaded(home).path.read_text()
    with pytest.raises(DirectoryHeld):
        adopt_version(loaded(home), next_file(home), now_us())
    with pytest.raises(DirectoryHeld):
        renewed(loaded(home), ("ledger",))
    node.close()
    assert loaded(home).path.read_text() == before


def test_settings_that_fall_behind_the_ledger_are_refused(home: Path) -> None:
    """A node whose ledger adopted version 2 does not go on under version 1."""
    before = loaded(home).path.read_text()
    adopt_version(loaded(home), next_file(home), now_us())
    assert started(home)[0] == 4
    after = loaded(home).path.read_text()
    loaded(home).path.write_text(before)
    with pytest.raises(ConfigInvalid, match="the ledger adopted version 2"):
        Node.open(loaded(home))
    loaded(home).path.write_text(after)


@pytest.mark.parametrize("state", ["suspended", "closed"])
def test_a_bureau_that_is_not_active_records_nothing(home: Path, state: str) -> None:
    """Its node serves what it holds, records neither the version nor anything else, and says why."""
    floor = renewed(loaded(home), ())["floor"]
    adopt_version(loaded(home), next_file(home, state=state, floor=floor), now_us())
    assert started(home) == (3, (1, read_version((home / "charter.note").read_bytes()).digest))
    node = Node.open(loaded(home))
    try:
        loop.run(node.start())
        said = Office().declare("X")
        key = load_key(home / "keys" / "clerk.key")
        submission = prepare(seal(ORIGIN, "market:clerk", key, new_id(now_us()), [said]), ORIGIN)
        with pytest.raises(NotAllowed, match=f"the charter says {state}"):
            loop.run(node.sequencer.record(submission))
        loop.run(node.stop())
    finally:
        node.close()
