"""Both halves of an exchange through real nodes: recorded before or as the data moves, each citing the other."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.commitment import salted_digest
from tallystick.core.errors import (
    HalvesDiffer,
    InvalidStatement,
    NotFound,
    ProofFailed,
    Unreachable,
    Usage,
)
from tallystick.sdk.clock import new_id, new_salt
from tallystick.sdk.digests import digest_file
from tallystick.sdk.exchange import format_exchange, parse_exchange
from tallystick.sdk.node import Node
from tallystick.sdk.receipt import Receipt
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1.statement_pb2 import ExchangeFailed, Statement
from tests.harness.clusters import checked_cluster

MARKET, TAX, PLANNING = "market-regulation", "taxation", "planning"


class Sides:
    """A provider and a consumer, and a file of the provider's."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        self.cluster = cluster
        self.file = folder / "licences.csv"
        self.file.write_text("code,name\n1,one\n")

    @property
    def market(self) -> Node:
        return self.cluster[MARKET].sdk

    @property
    def tax(self) -> Node:
        return self.cluster[TAX].sdk

    def provided(self, sharing: str = "unconditional") -> Receipt:
        """A new version of a resource of its own."""
        code = f"E-{new_id().hex()}"
        self.market.declare(code, scheme="local", title="t", sharing=sharing)
        return self.market.provide(code, file=self.file, version="v1")


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """A cluster of this module's own: others look for what was granted or sent on the shared one."""
    with checked_cluster(tmp_path_factory.mktemp("offices"), 3, nursery) as made:
        yield made


@pytest.fixture
def sides(offices: LocalCluster, tmp_path: Path) -> Sides:
    return Sides(offices, tmp_path)


@pytest.fixture
def own_sides(cluster: LocalCluster, tmp_path: Path) -> Sides:
    """Sides whose nodes may be stopped."""
    return Sides(cluster, tmp_path)


def since(node: Node, size: int) -> list[Statement]:
    """What was recorded on a ledger from there on."""
    return [shown.read.statement for shown in node.entries(size, node.refresh().size)]


@pytest.mark.parametrize("sharing", ["unconditional", "conditional"])
def test_both_halves_carry_one_digest_and_cite_each_other(sides: Sides, sharing: str) -> None:
    """What is handed over lets the receiver compute the digest that the sender recorded, salted or not."""
    version = sides.provided(sharing)
    asked = sides.tax.request(version.version_ref[:-3], provider=MARKET, purpose="p", case="C", system="TAX-REG")
    grant = sides.market.grant(asked, to=TAX, resource=version.version_ref[:-3], case="C", system="TAX-REG")
    with sides.market.sending(version, to=TAX, grant=grant, via="shared") as sending:
        before = sides.cluster.auditor.show(sending.ref).read.statement
    with sides.tax.receiving(sending.exchange, of=version) as receiving:
        receipt = receiving.file(sides.file)
    assert receiving.receipt is receipt
    assert receiving.sent is not None
    assert receiving.sent.ref == sending.ref
    after = receipt.statement
    assert before.head.exchange == after.head.exchange
    assert before.head.version == after.head.version == version.version_ref
    assert before.data_sent.digest == after.data_received.digest == version.statement.version_provided.digest
    assert before.data_sent.size == after.data_received.size == sides.file.stat().st_size
    assert before.head.about == after.data_received.grant == grant.ref
    assert after.head.about == sending.ref
    assert (before.head.counterparty, after.head.counterparty) == (TAX, MARKET)
    assert before.head.case == after.head.case == asked.statement.head.case
    assert before.head.system == after.head.system == "TAX-REG"
    assert before.data_sent.via == "shared"
    assert ("." in sending.exchange) == (sharing == "conditional")
    assert len(since(sides.market, sending.receipt.index)) == 1


def test_a_grant_is_the_same_however_it_is_named(sides: Sides) -> None:
    """As its receipt, as what was shown, as a citation or as text: one statement results, the ids aside."""
    version = sides.provided()
    asked = sides.tax.request(version.version_ref[:-3], provider=MARKET, purpose="p", matter="M")
    grant = sides.market.grant(asked, to=TAX, resource=version.version_ref[:-3], matter="M", case="C")
    said = set()
    for named in (grant, grant.ref, grant.reference, sides.market.entry(grant.index)):
        with sides.market.sending(version.version_ref, to=TAX, grant=named, exchange=b"x" * 16) as sending:
            said.add(sending.receipt.statement.SerializeToString())
    assert len(said) == 1


def test_a_sending_says_what_it_knew_the_other_side_had(sides: Sides) -> None:
    """The newest receipt of ours on the consumer's ledger is cited by the next sending."""
    version = sides.provided()
    with sides.market.sending(version, to=TAX) as sending:
        pass
    with sides.tax.receiving(sending.exchange) as receiving:
        received = receiving.file(sides.file)
    with sides.tax.receiving("another exchange", sender=PLANNING) as receiving:
        receiving.data(size=1)
    with sides.market.sending(version, to=TAX) as later:
        pass
    assert later.receipt.statement.data_sent.last_received == received.ref


def test_what_cannot_be_recorded_does_not_move(own_sides: Sides) -> None:
    """With the node away the block does not run, on either side."""
    version = own_sides.provided()
    sides, ran = own_sides, []
    sides.cluster[MARKET].kill()
    market = sides.market
    for of in (version, version.version_ref):
        with pytest.raises(Unreachable, match=MARKET), market.sending(of, to=TAX):
            ran.append("sending")
    sides.cluster[MARKET].start()
    with sides.market.sending(version, to=TAX) as sending:
        pass
    sides.cluster[TAX].kill()

    def receive() -> None:
        with sides.tax.receiving(sending.exchange) as receiving:
            receiving.file(sides.file)
            ran.append("after recording failed")

    with pytest.raises(Unreachable, match=TAX):
        receive()
    sides.cluster[TAX].start()
    assert ran == []
    assert all(not said.HasField("exchange_failed") for said in since(sides.tax, 0))


def test_an_exception_is_recorded_without_its_text(sides: Sides) -> None:
    """The block's exception goes on, and the failure stands on the ledger, citing the half, by a class's name alone."""
    version = sides.provided("conditional")
    error = ConnectionError("310115198001010011")
    with pytest.raises(ConnectionError) as raised, sides.market.sending(version, to=TAX, case="C") as sending:
        raise error
    assert raised.value is error
    (failed,) = since(sides.market, sending.receipt.index + 1)
    assert failed.head.about == sending.ref
    assert failed.head.counterparty == TAX
    assert failed.head.case == sending.receipt.statement.head.case
    assert failed.head.version == version.version_ref
    said = failed.exchange_failed
    assert (said.side, said.reason, said.words) == (ExchangeFailed.SENDING, "exception", "ConnectionError")
    assert b"310115" not in failed.SerializeToString()
    with pytest.raises(KeyboardInterrupt), sides.tax.receiving(sending.exchange, officer="taxation:o-1"):
        raise KeyboardInterrupt
    failed = since(sides.tax, 0)[-1]
    assert failed.head.about == sending.ref
    assert (failed.head.counterparty, failed.head.officer) == (MARKET, "taxation:o-1")
    said = failed.exchange_failed
    assert (said.side, said.reason, said.words) == (ExchangeFailed.RECEIVING, "interrupted", "KeyboardInterrupt")


def test_a_failure_that_cannot_be_recorded_hides_nothing(own_sides: Sides) -> None:
    """The block's own exception is raised, with a note that it stands nowhere."""
    version = own_sides.provided()
    market = own_sides.market

    def send() -> None:
        with market.sending(version, to=TAX):
            own_sides.cluster[MARKET].kill()
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as raised:
        send()
    assert "could not be recorded" in raised.value.__notes__[0]
    own_sides.cluster[MARKET].start()


@pytest.mark.parametrize("sharing", ["unconditional", "withheld"])
def test_another_file_is_recorded_and_then_told(sides: Sides, sharing: str) -> None:
    """The truth stands on the ledger before HalvesDiffer names both entries; the exchange did not fail."""
    version = sides.provided(sharing)
    with sides.market.sending(version, to=TAX) as sending:
        pass
    size = sides.tax.refresh().size
    sides.file.write_text("something else")
    with pytest.raises(HalvesDiffer, match="digest") as raised, sides.tax.receiving(sending.exchange) as receiving:
        receiving.file(sides.file)
    (said,) = since(sides.tax, size)
    assert raised.value.where == f"{TAX}#{size}"
    assert sending.receipt.reference in str(raised.value)
    assert said.data_received.size == 14
    plain = digest_file(sides.file).blake3
    if sharing == "unconditional":
        assert said.data_received.digest.blake3 == plain
    else:
        salt = parse_exchange(sending.exchange).salt
        assert salt is not None
        code, _, name = version.version_ref.partition("@")
        assert said.data_received.digest.committed == salted_digest(salt, MARKET, code, name, plain)


def test_another_size_or_version_differs_too(sides: Sides) -> None:
    """What both halves claim is compared; what one leaves out is not."""
    version = sides.provided()
    with sides.market.sending(version, to=TAX) as sending:
        pass
    with pytest.raises(HalvesDiffer, match=r"size 7; expected size 16"), sides.tax.receiving(sending.exchange) as one:
        one.data(size=7)
    with pytest.raises(HalvesDiffer, match=r"version .*@v9"), sides.tax.receiving(sending.exchange, of="A@v9") as two:
        two.file(sides.file)
    with sides.tax.receiving(sending.exchange) as three:
        three.data()


def test_a_provider_that_is_away_is_cited_from_a_copy(own_sides: Sides) -> None:
    """A witness's copy has the sending, since it was witnessed before the data went out."""
    sides = own_sides
    version = sides.provided("conditional")
    with sides.market.sending(version, to=TAX, wait_witnessed_s=60.0) as sending:
        pass
    sides.cluster[MARKET].kill()
    with sides.tax.receiving(sending.exchange, of=version) as receiving:
        receipt = receiving.file(sides.file)
    assert receiving.sent is not None
    assert receiving.sent.keeper in (TAX, PLANNING)
    assert receipt.statement.head.about == sending.receipt.ref
    sides.cluster[MARKET].start()


def test_a_provider_that_is_away_is_not_cited_where_no_copy_has_the_sending(own_sides: Sides) -> None:
    """What arrived is recorded all the same; the object says that no sending was found."""
    sides = own_sides
    version = sides.provided("conditional")
    paused = [sides.cluster[other].running for other in (TAX, PLANNING)]
    for running in paused:
        assert running is not None
        running.send(signal.SIGSTOP)
    with sides.market.sending(version, to=TAX, wait_witnessed_s=0.0) as sending:
        pass
    sides.cluster[MARKET].kill()
    for running in paused:
        assert running is not None
        running.send(signal.SIGCONT)
    with sides.tax.receiving(sending.exchange, of=version) as receiving:
        receipt = receiving.file(sides.file)
    assert receiving.sent is None
    assert not receipt.statement.head.HasField("about")
    assert receipt.statement.head.counterparty == MARKET
    assert receipt.statement.data_received.digest == version.statement.version_provided.digest
    with pytest.raises(Usage, match="recorded the sending"), sides.tax.receiving(sending.exchange):
        pass
    with pytest.raises(NotFound), sides.tax.receiving(sending.exchange, sender="nobody"):
        pass
    sides.cluster[MARKET].start()


def test_a_consumer_that_is_away_is_sent_to(own_sides: Sides) -> None:
    """Its last receipt is best effort."""
    own_sides.cluster[TAX].kill()
    with own_sides.market.sending(own_sides.provided(), to=TAX) as sending:
        pass
    assert not sending.receipt.statement.data_sent.HasField("last_received")
    own_sides.cluster[TAX].start()


def test_a_half_that_cannot_be_proven_stops_the_receiving(own_sides: Sides) -> None:
    """An altered entry on the sender's ledger is no reason to record without it: the bureau is named."""
    sides = own_sides
    version = sides.provided()
    with sides.market.sending(version, to=TAX) as sending:
        pass
    with sides.cluster[MARKET].stopped(broken_on_purpose=True) as disk:
        disk.flip_byte_of(sending.ref)
    size = sides.tax.refresh().size
    with pytest.raises(ProofFailed, match=MARKET), sides.tax.receiving(sending.exchange, of=version) as receiving:
        receiving.file(sides.file)
    assert since(sides.tax, size) == []


def test_only_a_sending_to_oneself_is_cited(sides: Sides) -> None:
    """A half that names another consumer is somebody else's."""
    version = sides.provided()
    with sides.market.sending(version, to=PLANNING) as sending:
        pass
    with sides.tax.receiving(sending.exchange, of=version) as receiving:
        receiving.file(sides.file)
    assert receiving.sent is None


def test_an_exception_after_recording_changes_nothing(sides: Sides) -> None:
    """What was received stays received; a block that says nothing records nothing."""
    version = sides.provided()
    with sides.market.sending(version, to=TAX) as sending:
        pass
    size = sides.tax.refresh().size
    with sides.tax.receiving(sending.exchange) as receiving:
        pass
    assert receiving.receipt is None
    assert since(sides.tax, size) == []

    def receive(error: Exception | None) -> None:
        with sides.tax.receiving(sending.exchange) as receiving:
            receiving.file(sides.file)
            if error is not None:
                raise error
            receiving.file(sides.file)

    with pytest.raises(OSError, match="disk full"):
        receive(OSError("disk full"))
    with pytest.raises(RuntimeError, match="received already"):
        receive(None)
    assert [said.WhichOneof("said") for said in since(sides.tax, size)] == ["data_received", "data_received"]


def test_what_the_caller_got_wrong_is_no_failure_of_the_exchange(sides: Sides, tmp_path: Path) -> None:
    """No salt, or no such file: an error, and nothing is recorded, not even a digest in the clear."""
    version = sides.provided("withheld")
    with sides.market.sending(version, to=TAX) as sending:
        pass
    size = sides.tax.refresh().size
    bare = sending.exchange.partition(".")[0]
    with pytest.raises(Usage, match="salt"), sides.tax.receiving(bare) as receiving:
        receiving.file(sides.file)
    with pytest.raises(Usage, match="cannot be read"), sides.tax.receiving(sending.exchange) as receiving:
        receiving.file(tmp_path / "none")
    salted = format_exchange(new_id(), new_salt())
    with pytest.raises(Usage, match="which version"), sides.tax.receiving(salted, sender=MARKET) as receiving:
        receiving.file(sides.file)
    assert since(sides.tax, size) == []


def test_what_cannot_be_sent_is_refused_before_the_block(sides: Sides) -> None:
    """An unknown version, bureau or grant, or no salt here: nothing is recorded, and the block does not run."""
    version, closed = sides.provided(), sides.provided("withheld")
    sides.market.salts.path_of(MARKET, closed.version_ref).unlink()
    size = sides.market.refresh().size
    attempts: list[tuple[type[Exception], str, dict[str, object]]] = [
        (NotFound, "was not provided", {"version": "NONE@1", "to": TAX}),
        (NotFound, "no salt", {"version": closed, "to": TAX}),
        (NotFound, "nobody", {"version": version, "to": "nobody"}),
        (NotFound, f"{MARKET}#999999", {"version": version, "to": TAX, "grant": f"{MARKET}#999999"}),
        (InvalidStatement, "expected an access granted", {"version": version, "to": TAX, "grant": version}),
        (InvalidStatement, "a charter adopted", {"version": version, "to": TAX, "grant": f"{TAX}#0"}),
        (InvalidStatement, "via", {"version": version, "to": TAX, "via": 7}),
    ]
    for error, words, values in attempts:
        with pytest.raises(error, match=words), sides.market.sending(**values):  # type: ignore[arg-type]
            raise AssertionError("the block ran")
    assert since(sides.market, size) == []


def test_a_service_needs_no_version(sides: Sides) -> None:
    """A bare code, a service's name and sizes make both halves; without a digest there, none is made here."""
    with sides.market.sending("S-1", to=TAX, service="lookup", request_size=40, size=16) as sending:
        pass
    with sides.tax.receiving(sending.exchange, service="lookup", request_size=40) as receiving:
        receipt = receiving.file(sides.file)
    said = receipt.statement
    assert (said.head.resource, said.head.version, said.data_received.service) == ("S-1", "", "lookup")
    assert said.data_received.size == 16
    assert not said.data_received.HasField("digest")


def test_a_given_digest_needs_no_version_on_this_ledger(sides: Sides) -> None:
    """A custodian passes on what another bureau provided, by the digest it was provided with."""
    version = sides.provided()
    digest = version.statement.version_provided.digest
    with sides.tax.sending(version.version_ref, to=PLANNING, digest=digest, size=16) as sending:
        pass
    assert sending.receipt.statement.data_sent.digest == digest


def test_a_node_without_a_profile_knows_no_other(sides: Sides) -> None:
    """That is a wrong call, and said so."""
    known = sides.market
    lone = Node(known.wire, known._trust, known.actor, known._key, known._state)
    with pytest.raises(RuntimeError, match="profile"):
        _ = lone.peers
    assert known.peers[MARKET] is known


@given(st.binary(min_size=16, max_size=16), st.none() | st.binary(min_size=32, max_size=32))
def test_what_is_handed_over_reads_back(exchange: bytes, salt: bytes | None) -> None:
    """Id and salt, as they were; ids of other systems keep whatever stands in them."""
    assert parse_exchange(format_exchange(exchange, salt)) == (exchange, salt)
    assert parse_exchange(UUID(bytes=exchange)) == (exchange, None)
    assert parse_exchange("a.b").salt is None


def test_with_no_node_to_ask_it_is_no_sender_that_is_missing(own_sides: Sides) -> None:
    """Where one's own node does not answer either, receiving says that, and not that nobody sent anything."""
    tax = own_sides.tax
    for member in own_sides.cluster:
        member.stop()
    with pytest.raises(Unreachable, match="taxation"), tax.receiving(str(UUID(bytes=new_id()))):
        pytest.fail("the block runs although nothing could be recorded")
