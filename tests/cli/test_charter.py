"""`tally charter` from version to version: proposed, signed by its holders, checked and adopted, all of it on files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import tomli_w

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.note import VerifierKey
from tallystick.sdk import clock
from tallystick.sdk.key_file import generate_key
from tallystick.sdk.profile import Profile
from tallystick.sdk.trust_store import TrustStore
from tallystick_node.first_charter import sign_first_charter
from tests.cli.conftest import Tally
from tests.harness.office import Office
from tests.harness.passphrases import told
from tests.harness.rosters import observing, roster_of

HOLDER = "pudong.example/key-1"
OFFICE = Office(now_us=clock.now_us())
B1, WATCH = roster_of(3)[1], observing(roster_of(3)[2])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A first charter of one bureau, its one key, and two profiles that trust its digest."""
    key = generate_key(tmp_path / "key-1.pem")
    note, digest = sign_first_charter("pudong", [OFFICE.bureau], HOLDER, key, OFFICE.now_us)
    (tmp_path / "charter.note").write_bytes(note)
    for name in ("profile", "auditor"):
        (tmp_path / f"{name}.toml").write_text(
            f'# {name}\ncharter = "charter.note"\ncharter_digest = "{digest}"\nstate = "{name}"\nlanguage = "en"\n'
        )
    return tmp_path


@pytest.fixture
def profile(folder: Path) -> Path:
    return folder / "profile.toml"


def make_next(tally: Tally, folder: Path, edits: str, name: str = "next", *options: str) -> Path:
    """The next version, signed by the first holder, with some edits if none are given; the note's path."""
    (folder / f"{name}.edits").write_text(edits or f'[rulebook]\npurposes = ["{name}"]\n')
    text, note = folder / f"{name}.toml", folder / f"{name}.note"
    profile = folder / "profile.toml"
    said = tally("charter", "propose", folder / f"{name}.edits", "-o", text, *options, profile=profile)
    assert said.code == 0, said.err
    signing = ("--key", folder / "key-1.pem", "--previous", folder / "charter.note")
    said = tally("charter", "sign", text, *signing, "-o", note)
    assert said.code == 0, said.err
    return note


def test_a_version_goes_from_edits_to_adoption(tally: Tally, folder: Path, profile: Path) -> None:
    """What is proposed is what is signed and adopted; the profile keeps its comments and the version before."""
    first = profile.read_text()
    note = make_next(tally, folder, 'expires = 2100-01-01T00:00:00Z\n[rulebook]\npurposes = ["x"]\n')
    checked = tally("charter", "verify", note, "--json", profile=profile).json
    assert checked["follows"]
    assert not checked["same"]
    assert checked["signed_by"] == [HOLDER]
    assert ("expires", "2100-01-01T00:00:00+00:00") in [(each["place"], each["after"]) for each in checked["changes"]]
    said = tally("charter", "adopt", note, "--json", profile=profile).json
    assert (said["version"], said["digest"], said["set_aside"]) == (2, checked["digest"], [])
    assert (folder / "charter-2.note").read_bytes() == note.read_bytes()
    old = tally("charter", "show", "--json", profile=folder / "auditor.toml").json
    new = tally("charter", "show", "--json", profile=profile).json
    assert (old["version"], new["version"], new["previous"]) == (1, 2, old["digest"])
    named = first.replace('"charter.note"', '"charter-2.note"')
    assert profile.read_text() == named.replace(old["digest"], new["digest"])
    assert tally("charter", "verify", note, "--json", profile=profile).json["same"]
    assert tally("charter", "adopt", note, profile=profile).code == 0


def test_a_version_says_whose_quorum_it_changes_and_who_loses_it(tally: Tally, folder: Path, profile: Path) -> None:
    """What follows from the roster, and stands on no line of it, is said when a version is proposed and checked."""
    seven = tomli_w.dumps({"bureau": [stanza(bureau) for bureau in roster_of(7)[1:]]})
    note = make_next(tally, folder, seven, "seven")
    four = {"needed": 4, "of": 6}
    checked = tally("charter", "verify", note, "--json", profile=profile).json
    ledgers = ["market", *(f"b{number}" for number in range(1, 7))]
    assert checked["quorums"] == [{"ledger": each, "before": None, "after": four} for each in ledgers]
    assert "nothing recorded" not in tally("charter", "verify", note, profile=profile).out
    assert tally("charter", "adopt", note, profile=profile).code == 0
    (folder / "e").write_text(tomli_w.dumps({"bureau": [stanza(roster_of(8)[7])]}))
    proposing = ("charter", "propose", folder / "e", "-o")
    said = tally(*proposing, folder / "eight.json.toml", "--json", profile=profile).json
    assert said["quorums"] == [{"ledger": each, "before": four, "after": None} for each in ledgers]
    shown = tally(*proposing, folder / "eight.toml", profile=profile).out
    assert "quorum of b1" in shown
    lost = f"nothing recorded on {', '.join(ledgers)} is witnessed: it lists no witnesses, and with more than seven"
    assert lost in shown


def test_edits_that_change_nothing_make_no_version(tally: Tally, folder: Path, profile: Path) -> None:
    """An empty file, or one that says again what stands there, is refused, and nothing is written."""
    for edits in ("", "# nothing\n", f'[[bureau]]\nid = "market"\nendpoint = "{OFFICE.bureau.endpoint}"\n'):
        (folder / "same").write_text(edits)
        said = tally("charter", "propose", folder / "same", "-o", folder / "same.toml", profile=profile)
        assert (said.code, "same: nothing changes" in said.err) == (2, True)
        assert not (folder / "same.toml").exists()


def test_a_closed_bureau_is_shown_with_its_successor(tally: Tally, folder: Path, profile: Path) -> None:
    """By `propose`, `verify`, `show` and `status`, in words and as JSON."""
    heir = stanza(msgspec.structs.replace(B1, credit_code=OFFICE.bureau.credit_code))
    floor = {"size": 3, "root": "A" * 43 + "="}
    closing = {"id": "market", "state": "closed", "successor": "b1", "floor": floor}
    edits = tomli_w.dumps({"bureau": [closing, heir]})
    note = make_next(tally, folder, edits, "heirs")
    verify = ("charter", "verify", note)
    assert "closed bureaus\tmarket, closed, succeeded by b1" in tally(*verify, profile=profile).out
    assert "已关闭单位\t" in tally(*verify, "--lang", "zh", profile=profile).out
    assert tally(*verify, "--json", profile=profile).json["closed"] == [{"bureau": "market", "successor": "b1"}]
    proposing = ("charter", "propose", folder / "heirs.edits", "-o", folder / "again.toml")
    assert "market, closed, succeeded by b1" in tally(*proposing, profile=profile).out
    assert tally("charter", "adopt", note, profile=profile).code == 0
    assert "state\tclosed, succeeded by b1" in tally("charter", "show", profile=profile).out
    assert "已关闭，由 b1 承继" in tally("charter", "show", "--lang", "zh", profile=profile).out
    (row, _) = tally("status", "--json", profile=profile).json["ledgers"]
    assert (row["charter_state"], row["successor"]) == ("closed", "b1")
    assert "closed, succeeded by b1; unreachable" in tally("status", profile=profile).out
    known = Profile.load(profile).closings.values()
    assert [(each.bureau, each.version, each.successor) for each in known] == [("market", 2, "b1")]


def stanza(bureau: Bureau) -> dict[str, object]:
    """What edits say of a new bureau."""
    return {k: v for k, v in msgspec.to_builtins(bureau).items() if v}


def test_a_version_is_judged_alone_by_its_digest(tally: Tally, folder: Path, profile: Path) -> None:
    """Without a profile or a version before it: the digest that was given, and enough signatures, or exit code 5."""
    digest = tally("charter", "show", "--json", profile=profile).json["digest"]
    verify = ("charter", "verify", folder / "charter.note")
    said = tally(*verify, "--digest", digest)
    assert said.code == 0
    assert said.lines[-1] == "It has the digest that was given, and the signatures its threshold asks for."
    found = tally(*verify, "--digest", digest, "--json").json
    assert found == {"trusted": True, "name": "pudong", "version": 1, "digest": digest, "signed_by": [HOLDER]}
    other = tally(*verify, "--digest", f"blake3:{'5a' * 32}", "--json")
    assert (other.code, other.json["trusted"], other.json["digest"]) == (5, False, digest)
    assert f"its digest is {digest}" in other.err
    unsigned = folder / "unsigned.note"
    unsigned.write_text((folder / "charter.note").read_text().partition("\n\n— ")[0] + "\n")
    bare = tally("charter", "verify", unsigned, "--digest", digest)
    assert (bare.code, "signed by\t-" in bare.out) == (5, True)
    assert tally(*verify, "--digest", digest, "--previous", folder / "charter.note").code == 2
    assert tally(*verify, "--digest", "blake3:9f").code == 2


def test_several_versions_are_adopted_in_their_order(tally: Tally, folder: Path, profile: Path) -> None:
    """One after the other at once; out of order, or one left out, it says which comes first."""
    second = make_next(tally, folder, "", "second")
    assert tally("charter", "adopt", second, profile=profile).code == 0
    third = make_next(tally, folder, "", "third")
    auditor = folder / "auditor.toml"
    for files in ([third], [third, second]):
        said = tally("charter", "adopt", *files, profile=auditor)
        assert said.code == 5
        assert "it is version 3, and version 1 is the last one known; expected version 2 first" in said.err
    assert tally("charter", "adopt", second, third, profile=auditor).code == 0
    assert "it is version 2, and version 3 is known" in tally("charter", "adopt", second, profile=auditor).err


def test_a_fork_is_called_what_it_is(tally: Tally, folder: Path, profile: Path) -> None:
    """A second version 2 by the same holders is shown, exits with 5 and changes nothing, before and after adoption.

    It is kept, and an audit says that it is proven, and of whom.
    """
    one, other = make_next(tally, folder, "", "one"), make_next(tally, folder, "[rulebook]\npurposes = []\n", "other")
    assert tally("charter", "adopt", one, profile=profile).code == 0
    for chosen, says in ((profile, "signed two versions 2"), (folder / "auditor.toml", "signed another version 2")):
        before = chosen.read_text()
        said = tally("charter", "adopt", other, profile=chosen)
        assert said.code == 5
        assert says in said.err
        assert chosen.read_text() == before
        audited = tally("audit", "--json", profile=chosen).json
        assert [(each["rule"], each["bureau"], each["standing"]) for each in audited["findings"]] == [
            ("charter-fork", "charter-holders", "proven")
        ]
        page = folder / f"{chosen.stem}.html"
        assert tally("report", "-o", page, profile=chosen).code == 0
        assert "signed two texts of version 2 of the charter" in page.read_text()
    assert "signed two versions 2" in tally("charter", "verify", other, profile=profile).err


def test_a_version_of_too_few_signatures_is_shown_and_refused(tally: Tally, folder: Path, profile: Path) -> None:
    """Holders see what they are to sign; until enough of both have, it does not follow."""
    new = tally("charter", "key", "pudong.example/key-2", "-o", folder / "key-2.pem", "--json").json["key"]
    note = make_next(tally, folder, f'charter_keys = ["{new}"]\n', "keys")
    said = tally("charter", "verify", folder / "keys.toml", profile=profile)
    assert said.code == 5
    assert said.lines[6:8] == [f"keys of version {number}\t0 signed, 1 needed" for number in (1, 2)]
    assert "charter_keys 1" in said.out
    assert tally("charter", "adopt", note, profile=profile).code == 5
    signing = ("charter", "sign", note, "--key", folder / "key-2.pem", "-o", note)
    assert tally(*signing, "--json").json["signed_by"] == ["pudong.example/key-2"]
    assert "has signed it" in tally(*signing).err
    assert tally("charter", "verify", note, "--previous", folder / "charter.note").code == 0
    assert tally("charter", "adopt", note, profile=profile).code == 0


def test_a_key_under_a_passphrase_signs_only_with_it(tally: Tally, folder: Path, profile: Path) -> None:
    """A holder's key can lie encrypted; its passphrase comes from a file descriptor, and another does not do."""

    making = ("charter", "key", "pudong.example/key-2", "-o", folder / "key-2.pem", "--encrypt")
    assert "nobody is there to ask" in tally(*making).err
    assert "no passphrase" in tally(*making, "--passphrase-fd", told("")).err
    made = tally(*making, "--passphrase-fd", told("open sesame\n"), "--json").json
    assert made["encrypted"]
    assert VerifierKey.parse(made["key"]).name == "pudong.example/key-2"
    assert b"BEGIN ENCRYPTED" in (folder / "key-2.pem").read_bytes()
    note = make_next(tally, folder, f'charter_keys = ["{made["key"]}"]\n', "keys")
    signing = ("charter", "sign", note, "--key", folder / "key-2.pem", "-o", note)
    assert "the passphrase does not open the key" in tally(*signing, "--passphrase-fd", told("open barley\n")).err
    assert tally(*signing, "--passphrase-fd", told("open sesame\n")).code == 0
    assert tally("charter", "adopt", note, profile=profile).code == 0


def test_a_ledger_is_pinned_where_this_client_saw_it(tally: Tally, folder: Path, profile: Path) -> None:
    """--floor takes the last checkpoint the profile trusted; what it was never shown it cannot pin."""
    (folder / "e").write_text("")
    pinning = ("charter", "propose", folder / "e", "-o", folder / "x.toml", "--floor")
    assert "was shown nothing of it yet" in tally(*pinning, "market", profile=profile).err
    assert "no bureau 'tax'" in tally(*pinning, "tax", profile=profile).err
    trust(profile, 7)
    note = make_next(tally, folder, "", "pinned", "--floor", "market")
    assert tally("charter", "adopt", note, profile=profile).code == 0
    (bureau,) = tally("charter", "show", "--json", profile=profile).json["bureaus"]
    assert bureau["floor"]["size"] == 7


def trust(profile: Path, size: int) -> None:
    """Let a profile's client have been shown so many entries."""
    checkpoint = Checkpoint(OFFICE.origin, size, bytes([size]) * 32)
    store = TrustStore(profile.parent / "profile" / "trust")
    with store.replacing(OFFICE.origin):
        store.save(OFFICE.origin, sign_checkpoint(checkpoint, OFFICE.keys["node"]))


@pytest.mark.parametrize(("size", "kept"), [(7, True), (8, False)])
def test_what_a_retired_key_no_longer_vouches_for_is_set_aside_and_said(
    tally: Tally, folder: Path, profile: Path, size: int, kept: bool
) -> None:
    """A checkpoint within the floor goes on being trusted; one beyond is kept apart, and the command says where."""
    trust(profile, 7)
    renewed = VerifierKey.of(OFFICE.origin, generate_key(folder / "ledger-2.key").public).format()
    edits = f'[[bureau]]\nid = "market"\nledger_key = "{renewed}"\n'
    note = make_next(tally, folder, edits, "renewed", "--floor", "market")
    trust(profile, size)
    said = tally("charter", "adopt", note, profile=profile)
    assert said.code == 0
    assert (TrustStore(folder / "profile" / "trust").load(OFFICE.origin) is not None) is kept
    assert len(said.lines) == (1 if kept else 2)
    assert kept or "signed 8 entries, which had no quorum to ask, and the charter ends that key at 7" in said.out
    shown = tally("charter", "show", "--lang", "zh", profile=profile)
    assert f"停用公钥\t7  {OFFICE.bureau.ledger_key}" in shown.lines


def test_where_no_state_was_named_nothing_is_forgotten(
    tally: Tally, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place that went by the first charter's digest is written down before another is gone by."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "home"))
    bare = folder / "bare.toml"
    bare.write_text(
        "\n".join(line for line in (folder / "profile.toml").read_text().splitlines() if "state" not in line)
    )

    before = Profile.load(bare).state
    assert tally("charter", "adopt", make_next(tally, folder, ""), profile=bare).code == 0
    assert Profile.load(bare).state == before


def test_a_later_version_put_in_the_place_of_the_trusted_one_says_so(tally: Tally, folder: Path, profile: Path) -> None:
    """A profile believes its digest alone; what follows it is adopted, not put there."""
    note = make_next(tally, folder, "")
    (folder / "charter.note").write_bytes(note.read_bytes())
    said = tally("charter", "show", profile=profile)
    assert said.code == 5
    assert "it calls itself version 2, which is adopted, not put there" in said.err


def test_an_expired_version_is_not_adopted(
    tally: Tally, folder: Path, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of the versions given must be in force; one that is over is only passed through."""
    second = make_next(tally, folder, "", "second")
    monkeypatch.setattr(clock, "now_us", lambda: OFFICE.now_us + 2 * 365 * 24 * 3600 * 1_000_000)
    assert "it expired on" in tally("charter", "adopt", second, profile=profile).err
    (folder / "e").write_text("expires = 2100-01-01T00:00:00Z")
    assert tally("charter", "propose", folder / "e", "-o", folder / "x.toml", profile=profile).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["propose", "none", "-o", "x"], 2, "cannot be read"),
        (["propose", "bad", "-o", "x"], 2, "edits"),
        (["propose", "good", "-o", "good"], 2, "there is a file already"),
        (["sign", "charter.note", "--key", "other.pem", "-o", "x"], 2, "not one of the charter's keys"),
        (["sign", "charter.note", "--key", "key-1.pem", "-o", "charter.note"], 2, "has signed it"),
        (["sign", "charter.note", "--key", "key-1.pem", "-o", "good"], 2, "there is a file already"),
        (["sign", "bad", "--key", "key-1.pem", "-o", "x"], 5, "the first line is not the header"),
        (["sign", "none", "--key", "key-1.pem", "-o", "x"], 2, "cannot be read"),
        (["verify", "none"], 2, "cannot be read"),
        (["verify", "bad"], 5, "header"),
        (["verify", "charter.note", "--previous", "bad"], 5, "bad"),
        (["adopt", "none"], 2, "cannot be read"),
        (["adopt", "bad"], 5, "bad"),
        (["adopt", "unsigned"], 5, "nobody has signed it"),
        (["key", "two words", "-o", "x"], 2, "is not a key name"),
        (["key", "a.example/x", "-o", "good"], 2, "there is a file already"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tally: Tally, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    """Missing, foreign and broken files, and files that would be overwritten, are named; none is changed or made."""
    monkeypatch.chdir(folder)
    (folder / "good").write_text("")
    (folder / "bad").write_text("[[")
    (folder / "unsigned").write_text((folder / "charter.note").read_text().partition("\n\n— ")[0] + "\n")
    generate_key(folder / "other.pem")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    said = tally("charter", *arguments, profile=folder / "profile.toml")
    assert said.code == code
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_an_observer_is_shown_as_one_and_with_the_quorums_it_adds_to(tally: Tally, folder: Path, profile: Path) -> None:
    """It has no ledger and no key that signs one, and each ledger whose quorum it counts to is named."""
    note = make_next(tally, folder, tomli_w.dumps({"bureau": [stanza(bureau) for bureau in (B1, WATCH)]}))
    assert tally("charter", "adopt", note, profile=profile).code == 0
    shown = tally("charter", "show", "--json", profile=profile).json["bureaus"]
    assert [each["observer"] for each in shown] == [False, False, True]
    observer = shown[2]
    assert (observer["ledger_key"], observer["registrar_key"], observer["quorum"]) == (None, None, None)
    assert observer["witnesses_of"] == ["market", "b1"]
    assert [each["witnesses"] for each in shown] == [["b1", "b2"], ["market", "b2"], []]
    said = tally("charter", "show", profile=profile).out
    assert "none, it is an observer" in said
    assert "b1, one of those whose quorum is 2 of 2" in said
    assert "无，为观察者" in tally("charter", "show", "--lang", "zh", profile=profile).out
