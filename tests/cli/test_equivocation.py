"""What the commands say of a ledger whose key signed two histories, and of the file that proves it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tallystick.core.charter_note import charter_digest
from tallystick.core.errors import Forked
from tallystick.core.note import parse_note
from tallystick.sdk.exchange import find_sent
from tallystick.sdk.ledgers import Ledgers
from tests.cli.conftest import Said, Tally
from tests.harness.lying_district import LyingDistrict

MARKET, TAX = "market", "tax"
EXCHANGE = UUID(int=7).bytes
OTHER_ROOT = b"\x07" * 32
SIZES = pytest.mark.parametrize("known", [3, 4, 5])


@pytest.fixture
def district(tmp_path: Path) -> Iterator[LyingDistrict]:
    """Two bureaus of five entries; the tax bureau sent something to the market's."""
    with LyingDistrict(tmp_path, MARKET, TAX) as made:
        for bureau in (MARKET, TAX):
            made.say(bureau, "declare", resource=f"{bureau}-1", scheme="s", title="t", sharing="unconditional")
        made.say(MARKET, "declare", resource="market-2", scheme="s", title="t", sharing="unconditional")
        made.say(TAX, "send", to=MARKET, exchange=EXCHANGE, version="tax-1@1")
        yield made


def trusted(district: LyingDistrict, known: int) -> Path:
    """This client was shown another history of the market bureau, of so many entries; where its evidence will be."""
    folder = district.profile.parent / "state" / "trust"
    folder.mkdir(parents=True, exist_ok=True)
    stem = "pudong.example%2Fmarket"
    (folder / f"{stem}.note").write_bytes(district.office(MARKET).note(known, OTHER_ROOT))
    return folder / f"{stem}.equivocation"


@SIZES
def test_every_command_that_meets_a_fork_names_the_file_in_one_sentence(
    tally: Tally, district: LyingDistrict, known: int
) -> None:
    """Exit code 5 and the same words each time; the other ledgers are shown as ever."""
    path = trusted(district, known)
    sizes = f"{known} entries" if known == 5 else f"{known} and 5 entries"
    sentence = f"the key of market signed two different histories of {sizes}, proven by {path}"
    for arguments in (["log", MARKET], ["show", "market#1"], ["prove", "market#1", "-o", "never"], ["log", MARKET]):
        said = tally(*arguments, profile=district.profile)
        assert (said.code, said.out) == (5, "")
        (line,) = said.err.splitlines()
        assert line.startswith(f"tally: {sentence}")
    status = tally("status", profile=district.profile)
    assert status.code == 5
    assert f"NOT TO BE BELIEVED: {sentence}" in status.out
    rows = tally("status", "--json", profile=district.profile).json["ledgers"]
    assert {row["bureau"]: row["state"] for row in rows} == {MARKET: "misbehaves", TAX: "answers"}
    assert tally("show", "tax#3", profile=district.profile).code == 0
    both = tally("log", "--all-bureaus", "--json", profile=district.profile)
    assert both.code == 5
    assert {each["bureau"] for each in both.jsons} == {TAX}
    assert sentence in both.err


@SIZES
def test_an_audit_names_the_file_and_says_that_it_is_proven(tally: Tally, district: LyingDistrict, known: int) -> None:
    """One finding, about the key, the same from audit to audit; that ledger is not covered, the other is."""
    path = trusted(district, known)
    day = date.today() + timedelta(days=60)
    documents = [tally("audit", "--json", "--on", day, profile=district.profile).json for _ in range(2)]
    assert documents[0] == documents[1]
    (finding,) = (each for each in documents[0]["findings"] if each["rule"] == "equivocation")
    assert (finding["bureau"], finding["standing"]) == (MARKET, "proven")
    assert finding["references"] == [f"market#{known - 1}"]
    assert all(str(path) in finding["sentence"][language] for language in ("en", "zh"))
    complete = {each["bureau"]: each["complete"] for each in documents[0]["coverage"]["ledgers"]}
    assert complete == {MARKET: False, TAX: True}


def test_removing_the_file_has_the_ledger_read_again(tally: Tally, district: LyingDistrict) -> None:
    """From what was trusted before: who trusts the other history finds the fork again, who trusts nothing does not."""
    path = trusted(district, 5)
    for _ in range(2):
        assert tally("log", MARKET, profile=district.profile).code == 5
        path.unlink()
    path.with_suffix(".note").unlink()
    assert tally("log", MARKET, profile=district.profile).code == 0


def test_a_fork_of_one_ledger_does_not_keep_another_from_being_found_in(district: LyingDistrict) -> None:
    """Who sent an exchange is looked for on every ledger that is one; the sender's own must be."""
    trusted(district, 4)
    with Ledgers.open(district.profile) as ledgers:
        found = find_sent(ledgers, EXCHANGE, MARKET, None)
        assert found is not None
        assert found.reference == "tax#4"
        with pytest.raises(Forked):
            find_sent(ledgers, EXCHANGE, MARKET, MARKET)


@pytest.fixture
def evidence(tally: Tally, district: LyingDistrict, request: pytest.FixtureRequest) -> Path:
    """A file as a client keeps it; of the size of what it trusted, 4 or as asked for."""
    path = trusted(district, getattr(request, "param", 4))
    tally("log", MARKET, profile=district.profile)
    return path


def verified(district: LyingDistrict, *arguments: object) -> Said:
    """`tally verify` in a process of its own, with the charter, its digest and no profile."""
    charter = district.profile.parent / "charter.note"
    digest = charter_digest(parse_note(charter.read_bytes()).text)
    check = (
        "import sys; sys.addaudithook(lambda event, _: event.startswith('socket.') and sys.exit('a socket was made'))\n"
        "from tallystick.cli.main import main; code = main(sys.argv[1:])\n"
        "assert 'grpc' not in sys.modules; sys.exit(code)"
    )
    words = ["verify", *arguments, "--charter", charter, "--charter-digest", digest]
    environment = {name: value for name, value in os.environ.items() if name != "TALLYSTICK_PROFILE"}
    done = subprocess.run(
        [sys.executable, "-c", check, *map(str, words)], capture_output=True, text=True, check=False, env=environment
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("evidence", [3, 4, 5], indirect=True)
def test_the_file_is_judged_offline_with_nothing_but_the_charter(district: LyingDistrict, evidence: Path) -> None:
    """No profile, no network: both checkpoints, both roots of the smaller size, what is proven and what is not."""
    said = verified(district, evidence, "--json")
    assert said.code == 0
    document = json.loads(said.out)
    roots = {document["checkpoints"]["a"]["root"], document["root_in_b"]}
    known = document["checkpoints"]["a"]["size"]
    assert roots == {OTHER_ROOT.hex(), district.node(MARKET).sequencer.ledger.root_at(known).hex()}
    assert (document["evidence"], document["bureau"], document["checkpoints"]["b"]["size"]) == (
        "equivocation",
        MARKET,
        5,
    )
    assert document["key"] == district.office(MARKET).keys["node"].public.hex()
    assert document["verified"].startswith("Proven: the key of market signed two different histories")
    assert document["not_covered"].startswith("Not covered: who held the key")


def test_what_it_proves_is_said_in_both_languages(district: LyingDistrict, evidence: Path) -> None:
    """The last two lines are what is proven and what is not covered; the labels are in one language too."""
    english, chinese = verified(district, evidence), verified(district, evidence, "--lang", "zh")
    assert english.out.splitlines()[-2:] == [
        "Proven: the key of market signed two different histories; its 5 entries do not extend its 4.",
        "Not covered: who held the key, which of the two is true, and whether it was meant; two writers under one key"
        " do the same.",
    ]
    assert chinese.out.splitlines()[-2:] == [
        "已证明：市场监督管理局的密钥签署了两套账，其 5 条并不承接其 4 条。",
        "未覆盖：密钥由谁持有、两者孰真、是否有意；两处以同一密钥写入，结果相同。",
    ]
    assert [line.split("\t")[0] for line in chinese.out.splitlines()[:6]] == [
        "台账",
        "公钥",
        "封账点甲",
        "甲之树根",
        "封账点乙",
        "乙之前 4 条树根",
    ]


def test_a_file_that_was_touched_proves_nothing(tally: Tally, district: LyingDistrict, evidence: Path) -> None:
    """Changed, cut, doubled, or of a ledger the charter does not have: exit code 5, one line."""
    good = evidence.read_bytes()
    middle = len(good) // 2
    changed = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
    stranger = good.replace(b"pudong.example/market", b"pudong.example/nobody")
    file = evidence.with_name("evidence")
    for bad in (changed, good[:-1], good[:-20], good + good, good + b"\n", stranger, good[:26], good[:20]):
        file.write_bytes(bad)
        said = tally("verify", file, profile=district.profile)
        assert (said.code, said.out) == (5, "")
        assert len(said.err.splitlines()) == 1
        assert f"{file} is not proven" in said.err
    file.write_bytes(good)
    assert tally("verify", file, profile=district.profile).code == 0
