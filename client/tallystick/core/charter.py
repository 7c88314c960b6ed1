"""The charter: the signed roster and rulebook, an auditor's only root of trust. Here is what one version says.

It is signed by a threshold of its keys that is above half. No public key stands under two names; no two bureaus share
an id or an origin. The note that carries it: `charter_note`; what makes a version follow another: `charter_chain`.

Its *bureaus* are whom to talk to and who may witness; its *ledgers* are those of them that are no observers.

Who witnesses whose ledger, and how many of them are enough, follows from it (`quorum`). The rulebook is carried as it
stands; the audit reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from tallystick.core.auditor import Auditor as Auditor
from tallystick.core.bureau import Bureau as Bureau
from tallystick.core.bureau import Floor as Floor
from tallystick.core.bureau import Name as Name
from tallystick.core.bureau import no_ledger
from tallystick.core.errors import InvalidIdentifier, MalformedCharter, NotFound, VerificationFailed
from tallystick.core.identifiers import HOLDERS, NOBODY
from tallystick.core.limits import WITNESSES_MAX
from tallystick.core.note import VerifierKey
from tallystick.core.quorum import WITNESSES_MIN, Quorum, default_needed

EVERYBODY_WITNESSES_MAX: Final = 7
_FRESHNESS: Final = re.compile(r"([1-9][0-9]{0,5})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600}


class Witnessing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many cosignatures make a checkpoint witnessed (0: as `quorum` says), and how old they may be."""

    quorum: int = 0
    freshness: str = "10m"

    @property
    def freshness_s(self) -> int:
        """How old the k-th newest cosignature may be, in seconds. Raises MalformedCharter."""
        match = _FRESHNESS.fullmatch(self.freshness)
        if match is None:
            raise MalformedCharter(
                f"freshness {self.freshness[:40]!r}", where="charter: witnessing", expected="as in 90s, 10m or 2h"
            )
        return int(match[1]) * _SECONDS[match[2]]


class Charter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A charter as its text says it."""

    name: str
    version: int
    issued: datetime
    expires: datetime
    threshold: int
    charter_keys: tuple[str, ...]
    bureau: tuple[Bureau, ...]
    previous: str = ""
    auditor: tuple[Auditor, ...] = ()
    witnessing: Witnessing = Witnessing()
    rulebook: dict[str, Any] = {}

    def by_id(self, bureau: str) -> Bureau:
        """Raises NotFound."""
        for candidate in self.bureau:
            if candidate.id == bureau:
                return candidate
        raise NotFound(f"no bureau {bureau[:80]!r}", where=f"charter {self.name}", expected=_listed(self.bureau))

    @property
    def parties(self) -> tuple[Bureau | Auditor, ...]:
        """Everybody the charter names: bureaus, then auditors."""
        return (*self.bureau, *self.auditor)

    @property
    def ledgers(self) -> tuple[Bureau, ...]:
        """The bureaus that have a ledger, in the roster's order; at least one."""
        return tuple(bureau for bureau in self.bureau if not bureau.is_observer)

    def ledger_of(self, bureau: str) -> Bureau:
        """A bureau that has a ledger, by its id. Raises NotFound, which an observer's is too."""
        found = self.by_id(bureau)
        if found.is_observer:
            raise no_ledger(found)
        return found

    def by_origin(self, origin: str) -> Bureau:
        """Whose ledger an origin names. Raises NotFound."""
        for candidate in self.bureau:
            if candidate.origin == origin:
                return self.ledger_of(candidate.id)
        raise NotFound(f"no ledger {origin[:255]!r}", where=f"charter {self.name}", expected=_listed(self.ledgers))

    def witnesses_of(self, bureau: Bureau) -> tuple[Bureau, ...]:
        """Who may witness a bureau's ledger: those it lists, else, up to seven bureaus, every other active one.

        Who shares the ledger's own credit code is none of them. An observer has nothing to witness.
        """
        if bureau.is_observer or self.must_list(bureau):
            return ()
        named = [self.by_id(witness) for witness in bureau.witnesses] or self.bureau
        return tuple(each for each in named if each.state == "active" and each.credit_code != bureau.credit_code)

    def must_list(self, bureau: Bureau) -> bool:
        """Whether a ledger has no witnesses for the one reason that it lists none, and everybody is more than seven.

        A closed bureau is none of the seven: no version leaves it out, and its successor takes its place. Observers
        are among them.
        """
        going_on = sum(each.state != "closed" for each in self.bureau)
        return going_on > EVERYBODY_WITNESSES_MAX and not bureau.witnesses and not bureau.is_observer

    def quorum_of(self, bureau: Bureau) -> Quorum | None:
        """How many of its witnesses make a ledger's checkpoint witnessed; None where they are too few to."""
        count = len({witness.credit_code for witness in self.witnesses_of(bureau)})
        if count < WITNESSES_MIN:
            return None
        return Quorum(count, self.witnessing.quorum or default_needed(count))

    def witnessed_by(self, bureau: Bureau) -> tuple[Bureau, ...]:
        """The active ledgers that a bureau witnesses, where they have witnesses enough to be witnessed at all."""
        return tuple(
            ledger
            for ledger in self.ledgers
            if ledger.state == "active" and self.quorum_of(ledger) and bureau in self.witnesses_of(ledger)
        )

    def followed_by(self, bureau: Bureau) -> tuple[Bureau, ...]:
        """The ledgers whose copies a bureau keeps: those it witnesses, and all of them where it is an observer."""
        if bureau.state != "active":
            return ()
        return self.ledgers if bureau.is_observer else self.witnessed_by(bureau)

    def expired(self, now_us: int) -> bool:
        """Whether this version may no longer be recorded, cosigned or read live under."""
        return now_us >= self.expires_us

    @property
    def expires_us(self) -> int:
        """When this version ends, in microseconds since 1970."""
        return int(self.expires.timestamp()) * 1_000_000


def _listed(bureaus: Sequence[Bureau]) -> str:
    return "one of " + ", ".join(bureau.id for bureau in bureaus[:12]) + (", …" if len(bureaus) > 12 else "")


def check_charter(charter: Charter) -> None:
    """Raises MalformedCharter where it says what no version may say."""

    def refuse(what: str, expected: str) -> MalformedCharter:
        return MalformedCharter(what, where="charter", expected=expected)

    if charter.version < 1:
        raise refuse(f"version {charter.version}", "1 or more")
    if charter.issued.tzinfo is None or charter.expires.tzinfo is None or charter.issued >= charter.expires:
        raise refuse("its term does not read", "issued before expires, both with a time zone")
    if not charter.threshold * 2 > len(charter.charter_keys) >= charter.threshold:
        raise refuse(
            f"threshold {charter.threshold} of {len(charter.charter_keys)} keys",
            "above half, and no more than there are",
        )
    if not charter.ledgers:
        raise refuse("no bureau with a ledger", "at least one")
    publics: list[bytes] = []
    ids = [*(bureau.id for bureau in charter.bureau), *(auditor.id for auditor in charter.auditor)]
    for taken in {HOLDERS, NOBODY}.intersection(ids):
        raise refuse(f"the id {taken}", "another one: that stands for who is no bureau where findings say who answers")
    try:
        for bureau in charter.bureau:
            publics += bureau.check()
        publics += [auditor.check() for auditor in charter.auditor]
        publics += [VerifierKey.parse(text).public for text in charter.charter_keys]
    except (InvalidIdentifier, VerificationFailed) as error:
        if isinstance(error, MalformedCharter):
            raise
        where = f"charter: {error.where}" if error.where else "charter"
        raise MalformedCharter(error.what, where=where, expected=error.expected) from None
    certified = [party.authorities for party in charter.parties]
    certifying = [key for pinned in certified for key in {each.public.public_numbers() for each in pinned}]
    origins = [bureau.origin for bureau in charter.bureau]
    for what, values in (("id", ids), ("origin", origins), ("key", publics), ("certificate authority", certifying)):
        if len(set(values)) < len(values):
            raise refuse(f"one {what} stands twice", f"every {what} once")
    _check_ends(charter)
    _check_witnessing(charter)


def _check_ends(charter: Charter) -> None:
    """A closed ledger ends somewhere, and who succeeds a bureau is another one of the same organisation."""
    codes = {bureau.id: bureau.credit_code for bureau in charter.bureau}
    for bureau in charter.bureau:
        where = f"charter: {bureau.id}"
        if bureau.state == "closed" and bureau.floor is None and not bureau.is_observer:
            raise MalformedCharter(
                "closed without a floor", where=where, expected="the size and root its ledger ends at"
            )
        if not bureau.successor:
            continue
        heir = codes.get(bureau.successor)
        if bureau.state != "closed" or bureau.successor == bureau.id or heir != bureau.credit_code:
            raise MalformedCharter(
                f"{bureau.state}, succeeded by {bureau.successor[:80]}"
                + ("" if heir is not None else ", which is no bureau here"),
                where=where,
                expected="a closed bureau, and as its successor another id of the same credit code",
            )


def _check_witnessing(charter: Charter) -> None:
    """Every witness is another bureau of the roster, and no quorum is half of them or fewer."""
    charter.witnessing.freshness_s  # noqa: B018, for what it raises
    known = {bureau.id for bureau in charter.bureau}
    for bureau in charter.bureau:
        where = f"charter: witnesses of {bureau.id}"
        strangers = [witness[:80] for witness in bureau.witnesses if witness not in known - {bureau.id}]
        if strangers or len(set(bureau.witnesses)) < len(bureau.witnesses):
            raise MalformedCharter(
                ", ".join(strangers) or "one stands twice",
                where=where,
                expected="other bureaus of the charter, once each",
            )
        if len(bureau.witnesses) > WITNESSES_MAX:
            raise MalformedCharter(
                f"{len(bureau.witnesses)} of them", where=where, expected=f"at most {WITNESSES_MAX}: one note shows all"
            )
        quorum = charter.quorum_of(bureau)
        if quorum is not None and not quorum.witnesses < 2 * quorum.needed <= 2 * quorum.witnesses:
            raise MalformedCharter(
                f"a quorum of {quorum.needed} out of {quorum.witnesses}",
                where=where,
                expected="more than half of them, and no more than there are",
            )
