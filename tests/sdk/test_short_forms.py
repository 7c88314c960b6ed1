"""The short form of an exchange, typed where the text that was handed over belongs: what it means, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import Unreachable, Usage
from tallystick.core.identifiers import exchange_short_form, short_form_in
from tallystick.core.values import exchange_id
from tallystick.sdk.clock import new_id
from tallystick.sdk.exchange import exchange_name, format_exchange
from tallystick.sdk.receipt import Receipt
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.harness.clusters import checked_cluster

MARKET, TAX, PLANNING = "market-regulation", "taxation", "planning"


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """A cluster of this module's own: what was sent on another would be gone through too."""
    with checked_cluster(tmp_path_factory.mktemp("offices"), 3, nursery) as made:
        yield made


def sent(offices: LocalCluster, bureau: str = MARKET, exchange: bytes | str | None = None) -> Receipt:
    """A sending to taxation, whose exchange is new."""
    values = {"exchange": new_id() if exchange is None else exchange, "service": "lookup"}
    with offices[bureau].sdk.sending("S-1", to=TAX, **values) as sending:  # type: ignore[arg-type]
        return sending.receipt


def short_form_of(receipt: Receipt) -> str:
    return exchange_short_form(receipt.statement.head.exchange)


def size(offices: LocalCluster) -> int:
    return offices[TAX].sdk.refresh().size


def two_of_one_short_form() -> tuple[bytes, bytes]:
    """Two ids that share it, which one in 2^30 pairs does."""
    seen: dict[str, bytes] = {}
    while True:
        id_ = new_id()
        other = seen.setdefault(exchange_short_form(id_), id_)
        if other != id_:
            return other, id_


@pytest.mark.parametrize("sender", [None, MARKET], ids=["whoever", "named"])
@pytest.mark.parametrize("typed", [str.upper, str.lower], ids=["upper", "lower"])
def test_a_short_form_is_received_as_the_exchange_it_is_shown_for(
    offices: LocalCluster, sender: str | None, typed: Callable[[str], str]
) -> None:
    """The sending is cited, and both halves name one exchange."""
    half = sent(offices)
    with offices[TAX].sdk.receiving(typed(short_form_of(half)), sender=sender) as receiving:
        receipt = receiving.data(size=7)
    assert receipt.statement.head.exchange == half.statement.head.exchange
    assert receipt.statement.head.about == half.ref


@pytest.mark.parametrize("sender", [None, MARKET], ids=["whoever", "named"])
def test_a_short_form_of_nothing_that_was_sent_here_is_refused(offices: LocalCluster, sender: str | None) -> None:
    """What was typed is repeated, and nothing is recorded: neither a receipt nor a failure."""
    with offices[MARKET].sdk.sending("S-1", to=PLANNING, service="lookup") as elsewhere:
        pass
    before = size(offices)
    typed = short_form_of(elsewhere.receipt)
    with (
        pytest.raises(Usage, match=f"'{typed}' .*short form.*nothing.*`tally send` gave"),
        offices[TAX].sdk.receiving(typed, sender=sender),
    ):
        raise AssertionError("the block ran")
    assert size(offices) == before


def test_a_short_form_of_two_exchanges_is_refused(offices: LocalCluster) -> None:
    """Both sendings are named; who says which of the bureaus it is from is understood."""
    first, second = two_of_one_short_form()
    ours, theirs = sent(offices, MARKET, first), sent(offices, PLANNING, second)
    before = size(offices)
    with (
        pytest.raises(Usage, match=f"more than one.*{MARKET}#{ours.index}, {PLANNING}#{theirs.index}"),
        offices[TAX].sdk.receiving(short_form_of(ours)),
    ):
        raise AssertionError("the block ran")
    assert size(offices) == before
    with offices[TAX].sdk.receiving(short_form_of(ours), sender=PLANNING) as receiving:
        receiving.data(size=7)
    assert receiving.sent is not None
    assert receiving.sent.ref == theirs.ref


def test_an_id_of_the_senders_own_that_reads_like_a_short_form_is_that_id(offices: LocalCluster) -> None:
    """What its sender recorded under the very text is meant."""
    half = sent(offices, exchange="000123")
    with offices[TAX].sdk.receiving("000123") as receiving:
        receiving.data(size=7)
    assert receiving.sent is not None
    assert receiving.sent.ref == half.ref


def test_what_cannot_be_a_short_form_is_repeated_as_it_was_typed(offices: LocalCluster) -> None:
    """And is an exchange's own id for whoever names the sender."""
    with pytest.raises(Usage, match="exchange 'zzz'"), offices[TAX].sdk.receiving("zzz"):
        raise AssertionError("the block ran")
    with offices[TAX].sdk.receiving("zzz", sender=MARKET) as receiving:
        receipt = receiving.data(size=7)
    assert receipt.statement.head.exchange == exchange_id("zzz")


def test_a_short_form_means_nothing_while_a_ledger_is_not_shown(cluster: LocalCluster) -> None:
    """It may be of another exchange there."""
    half = sent(cluster)
    tax = cluster[TAX].sdk
    for member in cluster:
        member.stop()
    with (
        pytest.raises(Unreachable, match=f"'{short_form_of(half)}' .*{MARKET}, which may hold it, does not answer"),
        tax.receiving(short_form_of(half), sender=MARKET),
    ):
        raise AssertionError("the block ran")


@given(st.binary(min_size=16, max_size=16), st.none() | st.binary(min_size=32, max_size=32))
def test_a_short_form_is_told_from_a_whole_id(exchange: bytes, salt: bytes | None) -> None:
    """What is shown is one, in either case; what is handed over is not, and its name never tells the salt."""
    shown = exchange_short_form(exchange)
    assert short_form_in(shown) == short_form_in(shown.lower()) == shown
    name = exchange_name(format_exchange(exchange, salt))
    assert name == exchange_name(exchange) == str(UUID(bytes=exchange))
    assert short_form_in(name) is None


def test_other_words_are_no_short_forms() -> None:
    """Six Crockford digits, and nothing else."""
    assert not any(map(short_form_in, ("", "7QK2M", "7QK2M99", "ILOU00", "7QK2M９", " 7QK2M")))


def test_the_name_of_a_short_form_with_a_salt_is_without_it() -> None:
    """As of a whole id."""
    assert exchange_name(f"7QK2M9.{'0' * 64}") == "7QK2M9"
