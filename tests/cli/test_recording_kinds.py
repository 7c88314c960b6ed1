"""Every kind that a person or a system records has its command, and what it records reads back as it was said."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tallystick.cli.main import tally as root
from tallystick.cli.recording import Recording
from tallystick.core.compose import Sensitive
from tallystick.core.kinds import KINDS
from tallystick.core.values import exchange_id
from tallystick.sdk.clock import new_id
from tallystick.sdk.digests import digest_file
from tallystick.sdk.exchange import parse_exchange
from tallystick.sdk.receipt import Receipt
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1.meta_pb2 import OFFICER, SYSTEM
from tests.cli.conftest import Said, Tally
from tests.harness.clusters import checked_cluster

MARKET, TAX, PLANNING = "market-regulation", "taxation", "planning"
FINDING = "F-3KQ0ZV8M1T5R"
CASE = exchange_id("2026-11-0042").hex()


class Counter:
    """The command under a bureau's profile, and entries to answer to."""

    def __init__(self, cluster: LocalCluster, tally: Tally) -> None:
        self.cluster = cluster
        self._tally = tally
        self.code = f"K-{new_id().hex()}"

    def __call__(self, bureau: str, *arguments: object) -> Said:
        return self._tally(*arguments, profile=self.cluster[bureau].profile)

    def record(self, bureau: str, *arguments: object) -> dict[str, Any]:
        """Record by a command, and read it back: what `show` says must be what the command said."""
        said = self(bureau, *arguments, "--json")
        assert said.code == 0, said.err
        told = said.json
        assert told["recorded"] is True
        shown = self(bureau, "show", told["reference"], "--json").json
        if "said" in told:
            assert (shown["kind"], shown["said"]) == (told["kind"], told["said"])
        return {**shown["said"], "": told}

    def latest(self, bureau: str) -> int:
        return int(self(bureau, "log", "-n", 1, "--json").jsons[0]["index"])

    def requested(self) -> Receipt:
        return self.cluster[TAX].sdk.request(
            self.code, provider=MARKET, purpose="p", system="TAX-REG", matter="M-1", case="2026-11-0042"
        )

    def granted(self) -> Receipt:
        return self.cluster[MARKET].sdk.grant(self.requested(), to=TAX, resource=self.code, system="TAX-REG")

    def assigned(self) -> Receipt:
        return self.cluster[MARKET].sdk.assign_duty(PLANNING, duty="supervisor", matter="M-1")


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """A cluster of this module's own: others look for what was granted or sent on the shared one."""
    with checked_cluster(tmp_path_factory.mktemp("offices"), 3, nursery) as made:
        yield made


@pytest.fixture
def counter(offices: LocalCluster, tally: Tally) -> Counter:
    return Counter(offices, tally)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("code,name\n1,one\n")
    return path


def type_in(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """What stands on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def recordings(group: click.Command = root) -> Iterator[Recording]:
    """Every command that records a statement of a person or a system."""
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from recordings(command)
    elif isinstance(group, Recording):
        yield group


def test_every_kind_of_a_person_or_a_system_has_a_command() -> None:
    """What an officer or a system may say, `tally` can record; a node's own statements it cannot."""
    theirs = {kind.name for kind in KINDS.values() if kind.roles & {SYSTEM, OFFICER}}
    assert {command.kind.name for command in recordings()} == theirs


@pytest.mark.parametrize("command", list(recordings()), ids=lambda command: f"{command.name}-{command.kind.name}")
def test_a_command_asks_for_what_its_kind_can_say_and_no_more(command: Recording) -> None:
    """Every parameter is a field of the kind, `--source` and sensitive values never stand on the command line."""
    own = {"of", "what", "file", "code", "classified", "cleaned", "checks", "desensitised_fields", "no_wait"}
    names = {parameter.name for parameter in command.params if parameter.name not in own}
    assert names <= {use.name for use in command.kind.uses} | {"profile", "passphrase_fd", "json", "lang"}
    assert "source" not in names
    for use in command.kind.uses:
        for parameter in command.params:
            if use.options.sensitive and parameter.name == use.name:
                assert isinstance(parameter, click.Option)
                assert parameter.is_flag
                assert parameter.opts == [f"--{use.name}-from-stdin"]


def test_catalogue_commands_record(counter: Counter, data: Path) -> None:
    """withdraw and recall, and what all commands take."""
    paper = ("--document", f"decision:No. 7:{data}", "--document", "letter")
    said = counter.record(MARKET, "withdraw", counter.code, "--reason", "merged", *paper, "--case", "2026-11-0042")
    assert said["resource"] == counter.code
    assert said["case"] == CASE
    digest = f"blake3:{digest_file(data).blake3.hex()}"
    assert said["documents"] == [{"digest": digest, "kind": "decision", "number": "No. 7"}, {"kind": "letter"}]
    version = f"{counter.code}@1"
    said = counter.record(
        *(MARKET, "recall", version, "--reason", "wrong", "--field", "a", "--field", "b", "--scope", "all"),
        *("--replaced-by", f"{counter.code}@2", "--officer", f"{MARKET}:o-1", "--happened", "2026-03-01T08:00+08:00"),
    )
    assert (said["version"], said["fields"], said["replaced_by"]) == (version, ["a", "b"], f"{counter.code}@2")
    assert (said["officer"], said["happened_at"]) == (f"{MARKET}:o-1", "2026-03-01T00:00:00.000000Z")


def test_declare_and_provide_take_what_all_commands_take(counter: Counter, data: Path) -> None:
    """A case, an officer, the time it happened, and papers."""
    common = ("--case", "2026-11-0042", "--officer", f"{MARKET}:o-1", "--happened", "2026-03-01", "--document", "k:n")
    opened = ("--title", "t", "--scheme", "local", "--sharing", "unconditional")
    for words in (("declare", counter.code, *opened), ("provide", counter.code, data, "--system", "S")):
        said = counter.record(MARKET, *words, *common)
        assert (said["case"], said["officer"], said["documents"]) == (
            CASE,
            f"{MARKET}:o-1",
            [{"kind": "k", "number": "n"}],
        )
        assert said["happened_at"].startswith("2026-02-28T16:00") or said["happened_at"].startswith("2026-03-01T00:00")


def test_sharing_commands_record(counter: Counter) -> None:
    """A request is answered by its reference alone: what it is about goes over to the answer."""
    asked = counter.record(
        *(TAX, "request", counter.code, "--provider", MARKET, "--purpose", "tax-registration", "--system", "TAX-REG"),
        *("--matter", "M-1", "--field", "name", "--basis", "art. 9", "--until", "2027-12-31", "--case", "2026-11-0042"),
    )
    reference = asked[""]["reference"]
    assert (asked["provider"], asked["basis"], asked["until"]) == (MARKET, {"words": "art. 9"}, "2027-12-31")
    scope = {"resource": counter.code, "system": "TAX-REG", "matter": "M-1", "case": CASE, "to": TAX}
    denied = counter.record(MARKET, "deny", reference, "--reason", "r", "--basis", "b", "--system", "OTHER")
    assert denied.items() >= {**scope, "reason": "r", "basis": {"words": "b"}, "system": "OTHER"}.items()
    grant = counter.record(MARKET, "grant", reference, "--condition", "c", "--field", "name", "--until", "2027-11-01")
    assert grant.items() >= {**scope, "conditions": ["c"], "fields": ["name"], "until": "2027-11-01"}.items()
    assert grant["request"]["reference"] == reference
    for bureau, how, other in ((MARKET, "revoked", TAX), (TAX, "given-back", MARKET)):
        ended = counter.record(bureau, "end", grant[""]["reference"], "--how", how, "--reason", "r")
        assert (ended["how"], ended["with_bureau"]) == (how.replace("-", "_"), other)
        assert ended["grant"]["reference"] == grant[""]["reference"]
        assert ended["resource"] == counter.code


def test_exchange_commands_record_both_halves(counter: Counter, data: Path, tmp_path: Path) -> None:
    """send prints what receive takes; another file is recorded, told, and ends with exit code 5."""
    counter(MARKET, "declare", counter.code, "--title", "t", "--scheme", "local", "--sharing", "withheld")
    version = counter.record(MARKET, "provide", counter.code, data, "--version", "v1")
    grant = counter.granted()
    sent = counter.record(
        MARKET, "send", f"{counter.code}@v1", "--to", TAX, "--grant", grant.reference, "--via", "shared"
    )
    text = sent[""]["exchange"]
    assert parse_exchange(text).exchange.hex() == sent["exchange"]
    assert parse_exchange(text).salt is not None
    assert (sent["digest"], sent["size"], sent["via"], sent["system"]) == (version["digest"], 16, "shared", "TAX-REG")
    assert sent["grant"]["reference"] == grant.reference

    received = counter.record(TAX, "receive", text, data)
    assert (received["digest"], received["size"], received["sender"]) == (version["digest"], 16, MARKET)
    assert received["sent"]["reference"] == received[""]["sent"] == sent[""]["reference"]
    assert received["grant"]["reference"] == grant.reference

    other = tmp_path / "other"
    other.write_text("x")
    said = counter(TAX, "receive", text, other, "--json")
    assert said.code == 5
    assert said.json["said"]["size"] == 1
    assert said.json["reference"] in said.err
    assert "expected digest committed:" in said.err

    unknown = counter(TAX, "receive", "an exchange nobody sent", data, "--sender", MARKET, "--of", "X@1")
    assert unknown.code == 0
    assert "without citing" in unknown.err
    assert counter(TAX, "receive", "an exchange nobody sent", data).code == 2


def test_send_prints_what_to_hand_over(counter: Counter) -> None:
    """In text as well, in either language."""
    for language, words in (("en", "hand over with the data: "), ("zh", "随数据交付：")):
        said = counter(
            MARKET, "send", counter.code, "--to", TAX, "--service", "s", "--exchange", "7", "--lang", language
        )
        assert said.code == 0
        text = said.lines[-1].removeprefix(words)
        assert parse_exchange(text).exchange == exchange_id("7")


def test_a_salt_need_not_stand_on_the_command_line(
    counter: Counter, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads the exchange from standard input."""
    counter(MARKET, "provide", counter.code, data, "--version", "v1")
    text = counter.record(MARKET, "send", f"{counter.code}@v1", "--to", TAX)[""]["exchange"]
    type_in(monkeypatch, text.encode() + b"\n")
    assert counter.record(TAX, "receive", "-", data)["sender"] == MARKET


def test_what_is_no_file_is_received_by_its_size(counter: Counter) -> None:
    """A service's answer has sizes, and may have a digest."""
    sent = counter.record(MARKET, "send", counter.code, "--to", TAX, "--service", "lookup", "--request-size", "40")
    said = counter.record(TAX, "receive", sent[""]["exchange"], "--size", "7", "--service", "lookup")
    assert (said["resource"], said["size"], said["service"]) == (counter.code, 7, "lookup")


@pytest.mark.parametrize("side", ["sending", "receiving"])
def test_failed_finds_the_half_it_is_about(counter: Counter, data: Path, side: str) -> None:
    """By the exchange, on its own ledger or on the sender's."""
    counter(MARKET, "provide", counter.code, data, "--version", "v1")
    sent = counter.record(MARKET, "send", f"{counter.code}@v1", "--to", TAX)
    bureau, other = (MARKET, TAX) if side == "sending" else (TAX, MARKET)
    said = counter.record(
        bureau, "failed", sent[""]["exchange"], "--side", side, "--reason", "checksum", "--words", "two tries"
    )
    assert said["half"]["reference"] == sent[""]["reference"]
    assert said.items() >= {"side": side, "reason": "checksum", "words": "two tries", "other": other}.items()
    assert (said["exchange"], said["version"]) == (sent["exchange"], f"{counter.code}@v1")
    alone = counter.record(bureau, "failed", "nobody's", "--side", side, "--reason", "checksum", "--other", PLANNING)
    assert "half" not in alone


def test_use_keeps_its_subject_to_itself(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value comes from standard input; a commitment stands on the ledger, and nothing prints the value."""
    grant = counter.granted()
    type_in(monkeypatch, b"310115198001010011\nnot this\n")
    words = ("--purpose", "p", "--field", "f", "--rows", "3", "--grant", grant.reference)
    said = counter.record(TAX, "use", f"{counter.code}@1", *words, "--subject-from-stdin")
    assert len(said["subject"]) == 64
    assert "310115" not in json.dumps(said)
    assert (said["version"], said["provider"], said["system"], said["rows"]) == (
        f"{counter.code}@1",
        MARKET,
        "TAX-REG",
        3,
    )
    assert "case" not in said
    assert counter.record(TAX, "use", counter.code, "--purpose", "p")["resource"] == counter.code
    for nothing in (b"", b"\n", b"\xff\xfe\n"):
        type_in(monkeypatch, nothing)
        failed = counter(TAX, "use", counter.code, "--purpose", "p", "--subject-from-stdin")
        assert failed.code == 2
        assert "standard input" in failed.err


def test_erase_names_a_field_of_an_entry(counter: Counter) -> None:
    """By its name or its path; what holds no commitment, or none any more, is refused in one sentence."""
    used = counter.cluster[TAX].gateway.use(
        f"{counter.code}@1", purpose="p", case="one", subject=Sensitive("secret-91")
    )
    refused = {
        "purpose": (2, "'purpose' holds no commitment"),
        "duty_assigned.person": (4, "'duty_assigned.person' holds no commitment"),
    }
    for field, (code, why) in refused.items():
        said = counter(TAX, "erase", used.reference, field, "--reason", "r")
        assert (said.code, why in said.err) == (code, True), said.err
    told = counter.record(TAX, "erase", used.reference, "subject", "--reason", "r", "--basis", "Art. 47")
    assert (told["field_path"], told["reason"], told["basis"]) == ("data_used.subject", "r", {"words": "Art. 47"})
    assert told["entry"]["reference"] == used.reference
    again = counter(TAX, "erase", used.reference, "data_used.subject", "--reason", "r")
    assert (again.code, "nothing is held that opens data_used.subject" in again.err) == (4, True), again.err
    elsewhere = counter(MARKET, "erase", used.reference, "subject", "--reason", "r")
    assert (elsewhere.code, "is about" in elsewhere.err) == (4, True), elsewhere.err


def test_a_disclosure_is_shown_where_it_is_asked_for(counter: Counter, tmp_path: Path) -> None:
    """By `show` and in evidence files, which verify offline; nowhere else, and each time on the record."""
    gateway = counter.cluster[TAX].gateway
    used = gateway.use(f"{counter.code}@1", purpose="p", case="one", subject=Sensitive("secret-92"))
    assert "secret-92" not in counter(TAX, "show", used.reference).out
    before = counter.latest(TAX)
    assert "secret-92" in counter(TAX, "show", used.reference, "--disclose").out
    told = counter(TAX, "show", used.reference, "--disclose", "subject", "--json").json
    assert told["disclosed"] == {"subject": "secret-92"}
    for options, disclosed in (((), {}), (("--disclose", "subject"), {"subject": "secret-92"})):
        file = tmp_path / f"{len(options)}.tlog-proof"
        assert counter(TAX, "prove", used.reference, "-o", file, *options).code == 0
        assert counter(MARKET, "verify", file, "--json").json["disclosed"] == disclosed
        assert file.stat().st_mode & 0o777 == (0o600 if disclosed else 0o644)  # what it opens is for nobody else
    assert counter.latest(TAX) >= before + 3
    views = counter(TAX, "shown", used.reference, "--json").json["shown"]
    assert [(each["how"], each["entry"]) for each in views] == [("opened", used.reference)] * 3
    refused = counter(TAX, "show", used.reference, "--disclose", "purpose")
    assert (refused.code, "'purpose' holds no commitment" in refused.err) == (2, True)


def test_answering_commands_record(counter: Counter) -> None:
    """A question, a dispute, an incident and a finding, and their answers."""
    asked = counter.requested()
    concern = counter.record(MARKET, "ask", asked.reference, "--words", "which?")
    assert concern.items() >= {"sort": "clarification", "to": TAX, "words": "which?", "resource": counter.code}.items()
    assert concern["about"]["reference"] == asked.reference
    answered = counter.record(TAX, "answer", concern[""]["reference"], "--outcome", "explained", "--words", "all")
    assert answered.items() >= {"outcome": "explained", "to": MARKET, "resource": counter.code, "case": CASE}.items()

    recalled = counter.cluster[MARKET].sdk.recall(f"{counter.code}@1", reason="r")
    noted = counter.record(TAX, "acknowledge", recalled.reference, "--action", "destroyed")
    assert noted.items() >= {"action": "destroyed", "to": MARKET, "version": f"{counter.code}@1"}.items()
    for sort in ("quality", "not-received"):
        said = counter.record(TAX, "dispute", recalled.reference, "--sort", sort, "--reason", "no-owner")
        assert said.items() >= {"sort": sort.replace("-", "_"), "to": MARKET, "version": f"{counter.code}@1"}.items()
        corrected = counter.record(
            *(MARKET, "answer", said[""]["reference"], "--outcome", "corrected", "--corrected", f"{counter.code}@2")
        )
        assert corrected.items() >= {"corrected": f"{counter.code}@2", "resource": counter.code}.items()
    assert counter.record(TAX, "dispute", recalled.reference)["sort"] == "quality"
    said = counter.record(TAX, "incident", PLANNING, "--version", f"{counter.code}@1", "--words", "seen outside")
    assert said.items() >= {"sort": "incident", "to": PLANNING, "version": f"{counter.code}@1"}.items()


def test_a_finding_is_raised_and_answered_by_its_id(counter: Counter) -> None:
    """On the bureau's own ledger; an answer to who raised it names the finding too."""
    answered = counter.record(PLANNING, "answer", FINDING, "--outcome", "rejected", "--words", "w")
    assert answered["finding"] == FINDING
    assert "concern" not in answered
    raised = counter.record(MARKET, "ask", FINDING, "--to", PLANNING, "--words", "who supervises?")
    assert (raised["sort"], raised["finding"]) == ("finding", FINDING)
    answered = counter.record(PLANNING, "answer", raised[""]["reference"], "--outcome", "explained")
    assert (answered["finding"], answered["to"]) == (FINDING, MARKET)
    for wrong in ("F-", "F-3KQ0ZV8M1T5", "F-3KQ0ZV8M1T5I", "F-3KQ0ZV8M1T5RR", "F-3kq0zv8m1t5r"):
        said = counter(PLANNING, "answer", wrong, "--outcome", "explained")
        assert said.code == 2
        assert "is not a finding" in said.err
    assert "--to" in counter(MARKET, "ask", FINDING).err


def test_duty_commands_record(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assigned, taken on or not, released; whom it is handed over to is never guessed."""
    type_in(monkeypatch, "李四\n".encode())
    words = ("--duty", "supervisor", "--matter", "M-1", "--unit", "u", "--since", "2027-03-09", "--person-from-stdin")
    assigned = counter.record(MARKET, "duty", "assign", PLANNING, *words)
    assert (
        assigned.items() >= {"holder": PLANNING, "duty": "supervisor", "matter": "M-1", "since": "2027-03-09"}.items()
    )
    assert len(assigned["person"]) == 64
    reference = assigned[""]["reference"]
    for answer, word in (("accept", "accepted"), ("decline", "declined")):
        said = counter.record(PLANNING, "duty", answer, reference)
        assert said.items() >= {"answer": word, "to": MARKET, "matter": "M-1"}.items()
        assert said["assignment"]["reference"] == reference
    later = counter.record(MARKET, "duty", "assign", TAX, "--duty", "supervisor", "--succeeds", reference)
    assert (later["holder"], later["matter"], later["succeeds"]["reference"]) == (TAX, "M-1", reference)
    released = counter.record(MARKET, "duty", "release", reference, "--reason", "r")
    assert (released["duty"]["reference"], released["matter"]) == (reference, "M-1")
    assert "to" not in released
    assert counter.record(MARKET, "duty", "release", reference, "--to", TAX)["to"] == TAX


def test_system_commands_record(counter: Counter) -> None:
    """A system's life."""
    label = counter.code[:40]
    said = counter.record(
        *(MARKET, "system", "register", label, "--name", "n", "--project", "p", "--approved-on", "2024-01-31"),
        *("--accepted-on", "2024-06-30", "--operator", "o", "--replaces", "OLD"),
    )
    del said[""]
    assert said == {
        "system": label,
        "name": "n",
        "project": "p",
        "approved_on": "2024-01-31",
        "accepted_on": "2024-06-30",
        "operator": "o",
        "replaces": "OLD",
    }
    period = ("--since", "2026-10-01", "--until", "2026-10-31")
    said = counter.record(MARKET, "system", "used", label, *period, "--users", "0", "--operations", "12")
    assert (said["since"], said["until"], said["operations"]) == ("2026-10-01", "2026-10-31", 12)
    said = counter.record(MARKET, "system", "retire", label, "--replaced-by", "NEW", "--reason", "r")
    assert (said["system"], said["replaced_by"], said["reason"]) == (label, "NEW", "r")


def test_a_reference_of_the_wrong_kind_is_refused_in_one_sentence(counter: Counter) -> None:
    """What it is, and what was expected; nothing is recorded. Nor is a denial of what was granted."""
    asked, assigned = counter.requested(), counter.assigned()
    granted = counter.cluster[MARKET].sdk.grant(asked, to=TAX, resource=counter.code)
    wrong = [
        (MARKET, f"was answered by {granted.reference}, access granted", "deny", asked.reference, "--reason", "r"),
        (MARKET, f"{granted.reference} is an access granted; expected an access requested", "grant", granted.reference),
        (MARKET, "a duty assigned; expected an access requested", "deny", assigned.reference, "--reason", "r"),
        (TAX, "expected an access granted or an access requested", "end", assigned.reference, "--how", "revoked"),
        (MARKET, "expected an access granted", "send", counter.code, "--to", TAX, "--grant", asked.reference),
        (TAX, "expected an access granted", "use", counter.code, "--purpose", "p", "--grant", asked.reference),
        (TAX, "expected a concern raised", "answer", granted.reference, "--outcome", "explained"),
        (PLANNING, "expected a duty assigned", "duty", "accept", asked.reference),
        (
            MARKET,
            "expected a data sent",
            *("failed", "x", "--side", "sending", "--reason", "r", "--half", asked.reference),
        ),
    ]
    before = {bureau: counter.latest(bureau) for bureau in (MARKET, TAX, PLANNING)}
    for bureau, words, *arguments in wrong:
        said = counter(bureau, *arguments)
        assert (said.code, said.out) == (4, "")
        assert len(said.err.splitlines()) == 1
        assert words in said.err
    assert before == {bureau: counter.latest(bureau) for bureau in (MARKET, TAX, PLANNING)}


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (4, "no bureau 'nobody'", ("grant", "nobody#1")),
        (4, "taxation#999999", ("grant", "taxation#999999")),
        (2, "not an entry reference", ("deny", "taxation", "--reason", "r")),
        (4, "no bureau 'nobody'", ("send", "A", "--to", "nobody")),
        (4, "was not provided on this ledger", ("send", "A@none", "--to", "taxation")),
        (4, "no bureau 'nobody'", ("request", "A", "--provider", "nobody", "--purpose", "p")),
        (4, "no bureau 'nobody'", ("incident", "nobody")),
        (4, "no bureau 'nobody'", ("duty", "assign", "nobody", "--duty", "chief")),
        (2, "'7QK2M9' is what the short form", ("receive", "7QK2M9", "--size", "7", "--sender", "taxation")),
        (2, "'SYSTEM': it is empty", ("system", "register", "", "--name", "n")),
        (2, "--to is missing, and nothing that was cited", ("ask", "F-000000000000")),
        (2, "Choose from: noted, stopped", ("acknowledge", "taxation#1")),
        (
            2,
            "none: the file cannot be read: No such file or directory;",
            ("receive", "x", "none", "--sender", "taxation"),
        ),
        (2, "none: the file cannot be read", ("withdraw", "A", "--document", "k:n:none")),
        (4, "no bureau 'nobody'", ("receive", "x", "f", "--sender", "nobody")),
        (2, "is no time", ("withdraw", "A", "--happened", "yesterday")),
        (4, "still to come", ("withdraw", "A", "--happened", "9000-01-01")),
        (2, "not a day", ("system", "used", "A", "--since", "soon", "--until", "later")),
        (2, "not an actor", ("withdraw", "A", "--officer", "o-7f3a")),
        (2, "not a version reference", ("recall", "A", "--reason", "r")),
        (2, "404 characters", ("withdraw", "A", "--reason", "x" * 404)),
        (2, "size", ("send", "A", "--to", "taxation", "--size", str(2**64))),
    ],
    ids=str,
)
def test_what_cannot_be_recorded_is_told_in_one_line(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, words: str, arguments: tuple[str, ...]
) -> None:
    """What is wrong, and nothing on the ledger."""
    monkeypatch.chdir(tmp_path)
    before = counter.latest(MARKET)
    said = counter(MARKET, *arguments)
    assert (said.code, said.out) == (code, "")
    assert len(said.err.splitlines()) == 1
    assert words in said.err
    assert counter.latest(MARKET) == before


def test_a_command_says_where_it_stands_and_what_it_says(counter: Counter) -> None:
    """In text: reference, standing, and one line of what it is about, in the language asked for."""
    said = counter(TAX, "request", counter.code, "--provider", MARKET, "--purpose", "p", "--lang", "zh")
    assert said.code == 0
    (line,) = said.lines
    assert line.startswith("taxation#")
    assert "已入账，尚未见证" in line
    assert f"{counter.code} · 提供方 市场监管局" in line


def test_an_auditor_records_nothing(tally: Tally, offices: LocalCluster) -> None:
    """The profile has no identity; exit code 2 says so."""
    for arguments in (["withdraw", "A"], ["send", "A", "--to", TAX], ["duty", "accept", "planning#1"]):
        assert tally(*arguments, profile=offices.auditor_profile).code == 2
