"""X-Road's real records on two ledgers: they pair, and whatever one side lacks or says otherwise is found by name.

The importer is the real one throughout. Each single line is dropped in memory, several at once on real nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tallystick.audit.finding import Standing
from tallystick.sdk.importers.xroad_input import COLUMNS
from tallystick.sdk.importers.xroad_map import Identifier, XRoadMap
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally
from tests.harness.xroad import DATA, MARKET, TAXATION, needs_data, told

pytestmark = needs_data

LINES = DATA.read_bytes().splitlines(keepends=True) if DATA.is_file() else []
ON = "2027-06-01"
SIZE, SERVICE, SIDE, MESSAGE, DONE = (
    COLUMNS.index(name) for name in ("responseSoapSize", "serviceCode", "securityServerType", "messageId", "succeeded")
)
MAP_FILE = f"""
"ee-dev/COM/11022625/ef-dev-adm" = "{MARKET}"
"ee-dev/COM/11022625/ef-dev-app-kalkulaator" = "{TAXATION}"
"""


def cell(line: bytes, column: int) -> str:
    return line.rstrip(b"\n").split(b"\t")[column].decode()


def bent(line: bytes, column: int, text: str) -> bytes:
    """The line with another text in a column."""
    cells = line.rstrip(b"\n").split(b"\t")
    cells[column] = text.encode()
    return b"\t".join(cells) + b"\n"


def bending(number: int, column: int, text: str) -> list[bytes]:
    """The sample with another text in a column of one line."""
    return [*LINES[:number], bent(LINES[number], column, text), *LINES[number + 1 :]]


def files(lines: Sequence[bytes], *, consumer_first: bool = False) -> dict[str, bytes]:
    """Both bureaus have the same file, and import it one after the other."""
    bureaus = (TAXATION, MARKET) if consumer_first else (MARKET, TAXATION)
    return dict.fromkeys(bureaus, b"".join(lines))


def findings(lines: Sequence[bytes], **options: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Rule, bureau and facts of what an audit finds of these lines."""
    found = told(files(lines, **options)).audit(ON)
    return [(each.rule, each.bureau, dict(each.facts)) for each in found]


@pytest.mark.parametrize("consumer_first", [False, True])
def test_the_sample_pairs_by_service_and_sizes(consumer_first: bool) -> None:
    """Fifty exchanges match, in whichever order the bureaus import, by what the records hold and no digest."""
    found, seen, _ = told(files(LINES, consumer_first=consumer_first)).look(ON)
    assert found == []
    assert seen.exchanges.matched == {(MARKET, TAXATION): 50}
    assert seen.exchanges.matched_by == {("service", "request_size", "size"): 50}
    assert not seen.exchanges.open


@pytest.mark.parametrize("consumer_first", [False, True])
def test_each_dropped_line_is_one_finding_that_names_the_missing_half(consumer_first: bool) -> None:
    """Whichever of the hundred lines is gone: one finding, about the bureau whose line it was, shown by the other's."""
    for number, line in enumerate(LINES):
        district = told(files([*LINES[:number], *LINES[number + 1 :]], consumer_first=consumer_first))
        (found,) = district.audit(ON)
        if cell(line, SIDE) == "Producer":
            assert (found.rule, found.bureau) == ("received-not-sent", MARKET)
        else:
            assert (found.rule, found.bureau) == ("sent-not-received", TAXATION)
        assert found.standing is Standing.ONE_SIDE
        (reference,) = found.references
        other = {MARKET: TAXATION, TAXATION: MARKET}[found.bureau]
        assert reference.startswith(f"{other}#")
        message = district[other].entries[int(reference.partition("#")[2])]
        assert bytes.fromhex(cell(line, MESSAGE).replace("-", "")) in message


@pytest.mark.parametrize("number", [0, 1, 50, 99])
@pytest.mark.parametrize(("column", "name"), [(SIZE, "size"), (SERVICE, "service")])
def test_a_line_that_says_otherwise_is_one_finding_with_both_values(number: int, column: int, name: str) -> None:
    """Whichever side it is, neither is convicted, and what either said stands in the sentence."""
    (found,) = findings(bending(number, column, "77777"))
    assert found[:2] == ("halves-differ", TAXATION)
    as_it_was = findings(bending(number, column, "88888"))
    sides = ("sent", "received") if cell(LINES[number], SIDE) == "Producer" else ("received", "sent")
    changed, unchanged = (dict(found[2][side]) for side in sides)
    assert changed.keys() == unchanged.keys() == {name}
    assert "77777" in changed[name]
    assert "77777" not in unchanged[name]
    assert dict(as_it_was[0][2][sides[1]]) == unchanged


def test_a_message_changed_alike_on_both_sides_still_pairs() -> None:
    """What both say is what is held against each other, not what it says."""
    both = [bent(line, SIZE, "7") if cell(line, MESSAGE) == cell(LINES[0], MESSAGE) else line for line in LINES]
    assert findings(both) == []


HARMLESS: dict[str, Callable[[bytes], list[bytes]]] = {
    "twice": lambda line: [line, line],
    "three times, once at the end of a spelling": lambda line: [line, bent(line, DONE, "true"), line],
    "without a size": lambda line: [bent(line, SIZE, "\\N")],
    "server type in lower case": lambda line: [bent(line, SIDE, cell(line, SIDE).lower())],
    "server type in upper case": lambda line: [bent(line, SIDE, cell(line, SIDE).upper())],
    "succeeded as 1": lambda line: [bent(line, DONE, "1")],
    "succeeded as TRUE": lambda line: [bent(line, DONE, "TRUE")],
    "another that contradicts it, skipped": lambda line: [line, bent(line, SIZE, "7")],
    "another of nobody's, skipped": lambda line: [line, bent(line, SIDE, "Bystander")],
    "another without an id, skipped": lambda line: [line, bent(line, MESSAGE, "\\N")],
}


@pytest.mark.parametrize("which", HARMLESS)
@pytest.mark.parametrize("side", ["Client", "Producer"])
def test_duplicates_gaps_and_spellings_of_one_side_are_no_findings(which: str, side: str) -> None:
    """What is said twice, not at all, or in other letters contradicts nothing."""
    lines = [new for line in LINES for new in (HARMLESS[which](line) if cell(line, SIDE) == side else [line])]
    assert lines != LINES
    assert findings(lines) == []


@pytest.mark.parametrize(
    ("column", "text"),
    [(MESSAGE, "\\N"), (SIDE, "\\N"), (SIDE, "Bystander"), (DONE, "perhaps"), (SIZE, "many"), (MESSAGE, "orphan")],
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_line_that_cannot_be_read_leaves_its_half_missing(number: int, column: int, text: str) -> None:
    """It is skipped, and so its other half is alone; an orphan of another id is alone too, and both are found."""
    found = sorted(each[:2] for each in findings(bending(number, column, text)))
    missing = {
        "Client": ("sent-not-received", TAXATION),
        "Producer": ("received-not-sent", MARKET),
    }
    own = cell(LINES[number], SIDE)
    orphan = [missing["Producer" if own == "Client" else "Client"]] if text == "orphan" else []
    assert found == sorted([missing[own], *orphan])


def test_a_failure_both_sides_recorded_is_no_finding_nor_is_one_the_receiver_recorded() -> None:
    """A call that failed moved nothing; a consumer that says so has answered the sending."""
    message = cell(LINES[0], MESSAGE)
    both = [bent(line, DONE, "f") if cell(line, MESSAGE) == message else line for line in LINES]
    assert findings(both) == []
    client = next(n for n, line in enumerate(LINES) if cell(line, SIDE) == "Client")
    assert findings(bending(client, DONE, "f")) == []


def test_both_sides_of_one_bureau_pair_on_its_one_ledger() -> None:
    """Where one bureau has both subsystems, nothing is missing, and a dropped line is its own."""
    one = XRoadMap({Identifier("ee-dev", "COM", "11022625", ""): MARKET})
    assert told({MARKET: b"".join(LINES)}, one).audit(ON) == []
    (found,) = told({MARKET: b"".join(LINES[1:])}, one).audit(ON)
    assert (found.rule, found.bureau) == ("sent-not-received", MARKET)


def test_real_nodes_are_audited_as_the_records_were(tally: Tally, cluster: LocalCluster, tmp_path: Path) -> None:
    """The whole sample is clean; further messages with a half gone or changed are exactly the findings there are."""
    map_file = tmp_path / "map.toml"
    map_file.write_text(MAP_FILE)

    def bring_in(lines: list[bytes]) -> None:
        file = tmp_path / "records.tsv"
        file.write_bytes(b"".join(lines))
        for bureau in (TAXATION, MARKET):
            assert tally("import", "xroad", file, "--map", map_file, profile=cluster[bureau].profile).code == 0

    bring_in(LINES)
    said = tally("audit", profile=cluster.auditor_profile)
    assert said.code == 0
    assert "0 findings." in said.lines

    names = {cell(line, MESSAGE): f"again-{number // 2}" for number, line in enumerate(LINES)}
    again = [bent(line, MESSAGE, names[cell(line, MESSAGE)]) for line in LINES]
    again[10] = bent(again[10], SIZE, "77777")
    again[21] = bent(again[21], SERVICE, "otherService")
    dropped = {30, 41, 52}
    bring_in([line for number, line in enumerate(again) if number not in dropped])
    document = tally("audit", "--json", profile=cluster.auditor_profile).json
    sides = Counter(cell(LINES[number], SIDE) for number in dropped)
    assert Counter((each["rule"], each["bureau"]) for each in document["findings"]) == {
        ("halves-differ", TAXATION): 2,
        ("sent-not-received", TAXATION): sides["Client"],
        ("received-not-sent", MARKET): sides["Producer"],
    }
    told_apart = [each for each in document["findings"] if each["rule"] == "halves-differ"]
    values = str([each["facts"] for each in told_apart])
    assert "77777" in values
    assert "otherService" in values
    assert "estfeedData" in values
