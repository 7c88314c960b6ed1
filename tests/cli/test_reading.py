"""status, log, show, prove and verify against real nodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tallystick.sdk.node import Node
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Said, Tally

MARKET = "market-regulation"


@pytest.fixture(scope="module")
def told(shared_cluster: LocalCluster) -> dict[str, str]:
    """A few statements on two ledgers; their references by name."""
    market = shared_cluster[MARKET].sdk
    planning = shared_cluster["planning"].sdk
    with market.recorder() as recorder:
        batch = [
            recorder.declare(f"R-{number}", scheme="local", title=f"题目 {number}", sharing="withheld")
            for number in range(5)
        ]
    asked = planning.request("R-1", provider=MARKET, purpose="joint-supervision", case="case-1", matter="310115-1")
    granted = market.grant(asked, to="planning", resource="R-1", conditions=["one", "two"], until="2028-01-01")
    sent = market.send(
        "exchange-1", to="planning", version="R-1@1", grant=granted, digest=f"blake3:{'ab' * 32}", size=7
    )
    evil = market.withdraw("R-4", reason="\x1b[2J\u202eevil")
    return {
        "first": batch[0].result().reference,
        "last": batch[-1].result().reference,
        "asked": asked.reference,
        "granted": granted.reference,
        "sent": sent.reference,
        "evil": evil.reference,
    }


@pytest.fixture
def profile(shared_cluster: LocalCluster) -> Path:
    return shared_cluster[MARKET].profile


def references(said: Said) -> list[str]:
    return [entry["reference"] for entry in said.jsons]


def test_status_shows_every_ledger(tally: Tally, shared_cluster: LocalCluster, told: dict[str, str]) -> None:
    """An auditor sees each bureau's size and root, and the coverage."""
    said = tally("status", profile=shared_cluster.auditor_profile)
    assert said.code == 0
    assert [line.split("\t")[0] for line in said.lines[:3]] == [MARKET, "taxation", "planning"]
    assert said.lines[-1].startswith("3 of 3 ledgers answered")
    document = tally("status", "--json", profile=shared_cluster.auditor_profile).json
    assert {row["state"] for row in document["ledgers"]} == {"answers"}


def test_options_stand_before_or_after_the_command(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """And the later one wins."""
    before = tally("--lang", "zh", "--profile", profile, "show", told["sent"])
    after = tally("show", told["sent"], "--lang", "zh", "--profile", profile)
    assert before.out == after.out
    assert "数据发送" in before.out
    both = tally("--lang", "zh", "show", told["sent"], "--lang", "en", profile=profile)
    assert "data sent" in both.out


def test_log_is_newest_first_and_says_what_it_covers(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """Without filters it is all of a range, and says so."""
    said = tally("log", "-n", 3, profile=profile)
    assert said.lines[0].startswith(told["evil"])
    assert len(said.lines) == 3
    assert "full range" in said.err
    assert "; the newest 3 alone." in said.err


def test_log_oldest_first_begins_at_the_beginning(tally: Tally, profile: Path) -> None:
    """Entry 0 is the charter's adoption."""
    said = tally("log", "--oldest-first", "-n", 1, "--json", profile=profile)
    assert said.err.startswith("1 entry. Covered: ")
    assert "; the oldest 1 alone." in said.err
    assert said.jsons[0]["index"] == 0
    assert said.jsons[0]["kind"] == "CharterAdopted"


def test_log_without_limit_is_the_whole_ledger(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """Every index once, in order."""
    indexes = [entry["index"] for entry in tally("log", "-n", 0, "--json", profile=profile).jsons]
    assert indexes == list(range(len(indexes)))[::-1]
    forwards = [entry["index"] for entry in tally("log", "-n", 0, "--oldest-first", "--json", profile=profile).jsons]
    assert forwards == indexes[::-1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--kind", "AccessGranted"], ["granted"]),
        (["--kind", "grant"], ["granted"]),
        (["--kind", "同意共享"], ["granted"]),
        (["--version", "R-1@1"], ["sent"]),
        (["--resource", "R-1", "--kind", "send"], ["sent"]),
        (["--with", "planning"], ["sent", "granted"]),
        (["--about", "ASKED"], ["granted"]),
        (["--exchange", "exchange-1"], ["sent"]),
        (["--actor", f"{MARKET}:clerk", "--kind", "withdraw"], ["evil"]),
        (["--actor", f"{MARKET}:nobody"], []),
        (["--system", "none"], []),
        (["--officer", f"{MARKET}:o-1"], []),
        (["--derived-from", "A@1"], []),
    ],
    ids=lambda options: " ".join(options),
)
def test_log_filters_by_what_the_head_names(
    tally: Tally, profile: Path, told: dict[str, str], options: list[str], expected: list[str]
) -> None:
    """A filtered list is as answered by the node, and says so."""
    said = tally("log", "--json", *(told["asked"] if o == "ASKED" else o for o in options), profile=profile)
    assert references(said) == [told[name] for name in expected]
    assert f"as answered by {MARKET}" in said.err


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        (["--with", "nobody"], 4),
        (["--actor", "nobody:clerk"], 4),
        (["--officer", "nobody:o-1"], 4),
        (["--actor", "clerk"], 2),
        (["--officer", "A b"], 2),
    ],
    ids=repr,
)
def test_log_by_a_name_that_nobody_has_is_refused(tally: Tally, profile: Path, filters: list[str], code: int) -> None:
    """A slip would otherwise be answered like a name of which nothing is recorded."""
    said = tally("log", *filters, profile=profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


def test_log_finds_a_case_and_a_matter_on_another_ledger(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """BUREAU names the ledger."""
    assert references(tally("log", "planning", "--case", "case-1", "--json", profile=profile)) == [told["asked"]]
    assert references(tally("log", "planning", "--matter", "310115-1", "--json", profile=profile)) == [told["asked"]]


def test_log_lists_a_submission_whole(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """Whichever of its entries it is asked by, all that were signed together come."""
    submission = tally("show", told["last"], "--json", profile=profile).json["submission"]
    assert submission["count"] == 5
    listed = references(tally("log", "--submission", submission["id"], "--oldest-first", "--json", profile=profile))
    assert (listed[0], listed[-1], len(listed)) == (told["first"], told["last"], 5)
    narrowed = tally("log", "--submission", submission["id"], "--resource", "R-2", "--json", profile=profile)
    assert len(narrowed.jsons) == 1


def test_log_is_bounded_by_recorded_time(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """`--since` is included, `--until` is not."""
    entries = tally("log", "-n", 0, "--oldest-first", "--json", profile=profile).jsons
    at = next(entry for entry in entries if entry["reference"] == told["granted"])
    since = references(tally("log", "-n", 0, "--since", at["recorded_at"], "--oldest-first", "--json", profile=profile))
    until = references(tally("log", "-n", 0, "--until", at["recorded_at"], "--oldest-first", "--json", profile=profile))
    assert since[0] == told["granted"]
    assert until + since == [entry["reference"] for entry in entries]
    assert tally("log", "--since", "2999-01-01", profile=profile).out == ""


def test_an_auditor_sees_all_ledgers_merged_by_time(
    tally: Tally, shared_cluster: LocalCluster, told: dict[str, str]
) -> None:
    """A profile without a bureau looks at all."""
    said = tally("log", "-n", 4, "--json", profile=shared_cluster.auditor_profile)
    assert references(said) == [told["evil"], told["sent"], told["granted"], told["asked"]]


def test_text_of_others_cannot_command_a_terminal(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """Neither in a list, nor shown, nor in JSON."""
    for arguments in (["log"], ["show", told["evil"]], ["show", told["evil"], "--json"]):
        said = tally(*arguments, profile=profile)
        assert "\x1b" not in said.out
        assert "\u202e" not in said.out
    assert "\\x1b[2J\\u202eevil" in tally("show", told["evil"], profile=profile).out
    assert tally("show", told["evil"], "--json", profile=profile).json["said"]["reason"] == "\x1b[2J\u202eevil"


def test_show_says_everything_and_what_it_means(tally: Tally, profile: Path, told: dict[str, str]) -> None:
    """All fields with their labels, the author, and what is not covered."""
    said = tally("show", told["granted"], profile=profile)
    assert said.code == 0
    for expected in (f"request\t{told['asked']}", "until\t2028-01-01", f"signed by\t{MARKET}:clerk (officer)", "\ttwo"):
        assert expected in said.out
    assert "a revocation before this entry is not excluded" in said.out
    assert said.lines[-1].startswith("Not covered:")
    assert "key registered\tnamed by the charter" in tally("show", f"{MARKET}#0", profile=profile).out


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (f"{MARKET}#99999", 4),
        ("nowhere#1", 4),
        ("junk", 2),
        ("a#-1", 2),
        ("#", 2),
        (f"{MARKET}#{2**64}", 2),
        ("\x1b#1", 2),
    ],
)
def test_a_reference_to_nothing_is_refused(tally: Tally, profile: Path, reference: str, code: int) -> None:
    """What is not there is not found, what is no reference is a wrong call; either way one line that names it."""
    for arguments in (["show", reference], ["prove", reference, "-o", "never-written"]):
        said = tally(*arguments, profile=profile)
        assert said.code == code
        assert len(said.err.splitlines()) == 1
        assert "\x1b" not in said.err
    assert not Path("never-written").exists()


def test_evidence_verifies_offline_with_nothing_but_the_charter(
    tally: Tally, shared_cluster: LocalCluster, profile: Path, told: dict[str, str], tmp_path: Path
) -> None:
    """File, charter and digest prove what `show` showed, without a profile and without the network."""
    evidence = tmp_path / "sent.tlog-proof"
    assert tally("prove", told["sent"], "-o", evidence, profile=profile).code == 0
    digest = tally("charter", "show", "--json", profile=profile).json["digest"]
    check = (
        "import sys; from tallystick.cli.main import main\n"
        "used = []; sys.addaudithook(lambda event, _: used.append(event) if event.startswith('socket.') else None)\n"
        "print(main(sys.argv[1:]), 'grpc' in sys.modules, used, file=sys.stderr)"
    )
    charter = shared_cluster.folder / "charter.note"
    arguments = ["verify", evidence, "--charter", charter, "--charter-digest", digest, "--json"]
    environment = {name: value for name, value in os.environ.items() if name != "TALLYSTICK_PROFILE"}
    done = subprocess.run(
        [sys.executable, "-c", check, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.stderr == "0 False []\n"
    shown = tally("show", told["sent"], "--json", profile=profile).json
    verified = json.loads(done.stdout)
    for key in ("reference", "leaf", "said", "author", "submission"):
        assert verified[key] == shown[key]


def test_evidence_is_not_overwritten_unasked(tally: Tally, profile: Path, told: dict[str, str], tmp_path: Path) -> None:
    """Only with --force."""
    evidence = tmp_path / "e"
    evidence.write_text("mine")
    assert tally("prove", told["sent"], "-o", evidence, profile=profile).code == 2
    assert evidence.read_text() == "mine"
    assert tally("prove", told["sent"], "-o", evidence, "--force", profile=profile).code == 0
    assert tally("verify", evidence, profile=profile).code == 0


def test_evidence_that_was_touched_proves_nothing(
    tally: Tally, profile: Path, told: dict[str, str], tmp_path: Path
) -> None:
    """Changed, cut, empty, or no evidence at all: exit code 5, one line."""
    evidence = tmp_path / "e"
    tally("prove", told["sent"], "-o", evidence, profile=profile)
    good = evidence.read_bytes()
    middle = len(good) // 2
    changed = good[:middle] + (b"A" if good[middle : middle + 1] != b"A" else b"B") + good[middle + 1 :]
    for bad in (changed, good[:-20], good[20:], b"", b"\x00" * 100, os.urandom(5000), good + good, b"\xff" * (3 << 20)):
        evidence.write_bytes(bad)
        said = tally("verify", evidence, profile=profile)
        assert said.code == 5
        assert len(said.err.splitlines()) == 1
        assert said.out == ""


def test_what_is_no_evidence_file_is_called_that(tally: Tally, profile: Path, tmp_path: Path) -> None:
    """Such as another command's JSON, in whatever language."""
    other = tmp_path / "other.json"
    other.write_text('{"reference": "税务局"}\n\n')
    said = tally("verify", other, profile=profile)
    assert (said.code, said.out) == (5, "")
    assert "it is no evidence file; expected a first line c2sp.org/tlog-proof@v1 or tallystick/equivocation" in said.err


def test_evidence_under_another_charter_proves_nothing(
    tally: Tally, shared_cluster: LocalCluster, profile: Path, told: dict[str, str], tmp_path: Path
) -> None:
    """The digest that was given out of band decides."""
    evidence = tmp_path / "e"
    tally("prove", told["sent"], "-o", evidence, profile=profile)
    wrong = f"blake3:{'00' * 32}"
    charter = shared_cluster.folder / "charter.note"
    assert tally("verify", evidence, "--charter", charter, "--charter-digest", wrong).code == 5
    assert tally("verify", evidence, "--charter-digest", wrong, profile=profile).code == 5
    assert tally("verify", evidence, "--charter", evidence, "--charter-digest", wrong).code == 5
    assert tally("verify", evidence, "--charter", tmp_path / "none", "--charter-digest", wrong).code == 2
    assert tally("verify", tmp_path / "none", profile=profile).code == 2
    assert tally("verify", tmp_path, profile=profile).code == 2


@pytest.fixture
def following(shared_cluster: LocalCluster) -> Iterator[subprocess.Popen[str]]:
    """`tally log --follow --json` in a process of its own."""
    command = [sys.executable, "-m", "tallystick.cli.main", "--profile", str(shared_cluster["taxation"].profile)]
    process = subprocess.Popen(
        [*command, "log", "--follow", "--json", "-n", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As at a terminal: what a shell starts in the background ignores interrupts, and so do its children.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        yield process
        process.kill()


def test_follow_shows_what_is_recorded_later_and_ends_quietly(
    following: subprocess.Popen[str], shared_cluster: LocalCluster
) -> None:
    """Each new entry comes as a line; an interrupt ends it with 130 and not a word."""
    assert following.stdout is not None
    assert following.stderr is not None
    assert "reference" in following.stdout.readline()
    assert "Covered" in following.stderr.readline()
    with Node.open(shared_cluster["taxation"].profile) as node:
        receipt = node.declare("FOLLOWED", scheme="local", title="t", sharing="unconditional")
    assert json.loads(following.stdout.readline())["reference"] == receipt.reference
    following.send_signal(signal.SIGINT)
    assert following.wait(30) == 130
    assert following.stderr.read().strip() == ""


def test_a_closed_pipe_is_no_error(shared_cluster: LocalCluster, told: dict[str, str]) -> None:
    """A reader that has seen enough leaves no complaint behind."""
    command = [sys.executable, "-m", "tallystick.cli.main", "--profile", str(shared_cluster[MARKET].profile)]
    with subprocess.Popen(
        [*command, "log", "-n", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 141
    assert errors == ""


def test_charter_show_says_who_witnesses_and_what_that_survives(tally: Tally, profile: Path) -> None:
    """For each ledger its witnesses, how many are enough, and how many may collude or be away."""
    said = tally("charter", "show", profile=profile).out
    assert "witnesses\ttaxation, planning\nquorum\t2 of 2: with 1 colluding" in said
    assert "with 0 away nothing stays unwitnessed" in said
    first = tally("charter", "show", "--json", profile=profile).json["bureaus"][0]
    assert first["witnesses"] == ["taxation", "planning"]
    assert first["quorum"] == {"needed": 2, "of": 2, "colluders_survived": 1, "absent_survived": 0}
    assert "规划资源局" in tally("charter", "show", "--lang", "zh", profile=profile).out
