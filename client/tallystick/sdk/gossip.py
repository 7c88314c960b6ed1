"""A client's round of gossip: every node of the charter is asked what it holds, and told what is news to it.

What the nodes show is held against what this client trusts, ledger by ledger (`core/reconciling`). So a client that was
shown one history by a ledger's own node meets the other one through any node that holds it. Nodes tell who is behind
(`core/news`), and this client may well be ahead, by a history that they were never shown: a node that follows a ledger
and holds less of it is asked again as by one who holds nothing. Nodes that do not follow it are behind as a rule, and
look for themselves once they are told. Evidence is kept in the trust store, which ends the reading of that ledger;
what nobody proves is kept beside what is trusted, and cleared by a later proof. Nothing that is shown here is trusted
in place of what was trusted before.

Which versions of the charter the nodes hold is heard with it (`charter_news`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.clocks import ahead_us
from tallystick.core.equivocation import accused_key, canonical_equivocation
from tallystick.core.errors import Forked, TallystickError, Unreachable, Unreconciled, VerificationFailed
from tallystick.core.limits import SENTENCE_CHARS_MAX
from tallystick.core.news import Holding, ledger_number, lines_of, news, proven_of
from tallystick.core.note import parse_note
from tallystick.core.reconciling import APART_MAX, Account, Seen
from tallystick.sdk.charter_news import CharterNews, hear_charters
from tallystick.sdk.clock import now_us
from tallystick.sdk.contradictions import root_shown
from tallystick.sdk.dialling import ASKED_AT_ONCE
from tallystick.sdk.profile import Profile
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.gossip_pb2 import SwapAnswer, SwapRequest, TellRequest

DEADLINE_S: Final = 5.0
NOTES_MAX: Final = 4 * (1 + APART_MAX)
"""How many of a node's notes of one ledger are looked at: it holds one, and some apart, and is asked twice at most."""

_NOTHING: Final[Mapping[str, Iterable[bytes]]] = {}

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Asked:
    """A node that was asked: what it answered and how far its clock is ahead of this machine's, or what kept it."""

    node: Bureau
    answer: SwapAnswer
    ahead_us: int = 0
    error: TallystickError | None = None


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A ledger's checkpoint that nobody joined to the one this client trusts, and where its note is kept."""

    bureau: str
    size: int
    path: Path


@dataclass(frozen=True, slots=True)
class Heard:
    """What a round brought. `evidence` says where that against a bureau's key is kept; `not_cosigned` by witness and
    ledger, on the witness's word alone, why it cosigns that ledger no more.
    """

    asked: tuple[Asked, ...]
    evidence: dict[str, Path]
    suspicions: tuple[Suspicion, ...]
    not_cosigned: dict[tuple[str, str], str]
    charters: CharterNews


def gossip(profile: Profile, cosigned: Mapping[str, Iterable[bytes]] = _NOTHING) -> Heard:
    """One round with every node of the charter. `cosigned` are notes of trusted checkpoints, by origin, as they were
    shown with cosignatures. Raises ConfigInvalid where the trust store cannot be used.
    """
    return _Round(profile).run(cosigned)


class _Round:
    """One round, from what is in the trust store."""

    def __init__(self, profile: Profile) -> None:
        self._charter = charter = profile.charter
        self._versions = profile.heard_versions()
        self._trust = profile.trust_store
        self._credentials = profile.credentials
        self._patience = profile.patience
        self._accounts = {bureau.origin: Account(charter, bureau) for bureau in charter.ledgers}
        self._followed: dict[str, set[int]] = {}
        """By node, the ledgers that it has or follows by the charter."""
        observers = [bureau for bureau in charter.bureau if bureau.is_observer]
        for ledger in charter.ledgers:
            for follower in (ledger, *charter.witnesses_of(ledger), *observers):
                self._followed.setdefault(follower.id, set()).add(ledger_number(ledger.origin))

    def run(self, cosigned: Mapping[str, Iterable[bytes]]) -> Heard:
        for origin, account in self._accounts.items():
            trusted = self._trust.load(origin)
            kept = [note for _, note in self._trust.conflicts(origin)]
            self._show(account, *([] if trusted is None else [trusted]), *cosigned.get(origin, ()), *kept)
        mine = self._holdings()
        request = SwapRequest(line=lines_of(mine), proven=proven_of(mine))
        nodes = [bureau for bureau in self._charter.bureau if bureau.state != "closed"]
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            asked = list(pool.map(lambda node: self._ask(node, request), nodes))
            shown: dict[str, dict[bytes, None]] = {origin: {} for origin in self._accounts}
            for each in asked:
                self._take(each.answer, shown)
            list(pool.map(lambda origin: self._reconcile(self._accounts[origin], shown[origin]), shown))
            list(pool.map(self._tell, asked))
        said = {each.node.id: each.answer.charter for each in asked if each.error is None}
        charters = hear_charters(self._versions, nodes, said, DEADLINE_S, self._credentials, self._patience)
        suspicions = [each for account in self._accounts.values() for each in self._suspicions(account)]
        return Heard(tuple(asked), self._evidence(), tuple(suspicions), self._not_cosigned(asked), charters)

    # What is shown, and what becomes of it.

    def _take(self, answer: SwapAnswer, shown: dict[str, dict[bytes, None]]) -> None:
        """Keep the evidence in an answer, and put its notes to those that were shown of each ledger, each once.

        Each may cost a question to every witness, so that of one node and ledger only so many are taken.
        """
        taken: Counter[str] = Counter()
        for file in answer.evidence:
            with suppress(VerificationFailed):
                bureau, evidence = canonical_equivocation(file, self._charter)
                self._trust.keep_evidence(bureau, evidence)
        for note in answer.note:
            with suppress(VerificationFailed):
                origin = parse_note(note).text.partition("\n")[0]
                taken[origin] += 1
                if origin in shown and taken[origin] <= NOTES_MAX:
                    shown[origin][note] = None

    def _show(self, account: Account, *notes: bytes, beside: Iterable[bytes] = ()) -> None:
        for note in notes:
            try:
                account.show(note)
            except Forked as error:
                self._keep_evidence(account, error, beside)
            except VerificationFailed:  # it proves nothing, whoever kept or showed it
                continue

    def _keep_evidence(self, account: Account, error: Forked, notes: Iterable[bytes]) -> None:
        """Keep a proof, with what any of the notes says of witnesses that cosigned both."""
        self._trust.keep_evidence(account.bureau, account.naming_cosigners(error, notes).evidence)

    def _reconcile(self, account: Account, notes: Collection[bytes]) -> None:
        """Take in what was shown of a ledger, and keep what nobody proves though somebody was there to be asked.

        Each note is settled, if it can be, before the next: of those that stay apart only a few are held, and who shows
        many that nobody can prove would crowd out the one that somebody could.
        """
        unproven: dict[Checkpoint, Seen] = {}
        away: set[str] = set()
        try:
            self._settle(account, unproven, away)
            for note in notes:
                self._show(account, note, beside=notes)
                self._settle(account, unproven, away)
        except Forked as error:
            self._keep_evidence(account, error, notes)
            return
        self._keep(account, [seen for seen in account.apart if seen.checkpoint in unproven])

    def _settle(self, account: Account, unproven: dict[Checkpoint, Seen], away: set[str]) -> None:
        """Have what is apart proven by whoever can; what was asked after in vain once is not asked after again, nor is
        a node that was out of reach. Raises Forked."""
        for seen in sorted(account.apart, key=lambda each: each.size):
            if seen.checkpoint in unproven:
                continue
            answers: list[bool | None] = []
            for source in self._sources(account.bureau, account, seen):
                answer = None if source.id in away else self._settled_by(source, account, seen)
                answers.append(answer)
                if answer is None:
                    away.add(source.id)
            if any(answer is not None for answer in answers) and not any(answers):
                unproven[seen.checkpoint] = seen
                account.doubt(seen)

    def _sources(self, bureau: Bureau, account: Account, seen: Seen) -> Iterator[Bureau]:
        """Who is asked for a proof, for as long as it is wanted: the ledger's node, then its witnesses."""
        for source in (bureau, *self._charter.witnesses_of(bureau)):
            if any(each.checkpoint == seen.checkpoint for each in account.apart):
                yield source

    def _keep(self, account: Account, unproven: list[Seen]) -> None:
        """Clear what was kept and is apart no more, and keep what nobody proved."""
        origin = account.bureau.origin
        trusted = self._trust.load(origin)
        apart = {seen.checkpoint for seen in account.apart}
        known = {None if trusted is None else _opened(account, trusted)}
        for path, note in self._trust.conflicts(origin):
            checkpoint = _opened(account, note)
            known.add(checkpoint)
            if checkpoint is not None and checkpoint not in apart:
                self._trust.clear_conflict(path)
        for seen in unproven:
            if seen.checkpoint not in known:
                self._trust.keep_conflict(origin, trusted, seen.note)

    def _tell(self, asked: Asked) -> None:
        fresh = news(self._holdings(), asked.answer.line, asked.answer.proven)
        if fresh and asked.error is None:
            with suppress(TallystickError):
                request = TellRequest(note=fresh.notes, evidence=fresh.evidence)
                self._calling(asked.node, asked.node, lambda wire: wire.tell(request))

    # What nodes are asked.

    def _ask(self, node: Bureau, request: SwapRequest) -> Asked:
        before_us = now_us()
        try:
            answer = self._calling(node, node, lambda wire: wire.swap(request))
            after_us = now_us()
            behind = _behind(request, answer) & self._followed.get(node.id, set())
            if behind:
                asking = SwapRequest(
                    line=[each for each in request.line if each.ledger not in behind], proven=request.proven
                )
                answer.note.extend(self._calling(node, node, lambda wire: wire.swap(asking)).note)
        except TallystickError as error:
            return Asked(node, SwapAnswer(), error=error)
        return Asked(node, answer, ahead_us(before_us, answer.now_us, after_us))

    def _settled_by(self, source: Bureau, account: Account, seen: Seen) -> bool | None:
        """Whether a node's proof settles what is apart; None where the node is out of reach. Raises Forked."""
        old, new = account.wanted(seen)

        def ask(wire: Wire) -> bool:
            proof = wire.prove_consistency(old, new).hashes if 0 < old < new else ()
            try:
                account.settle(seen, proof)
            except Unreconciled:
                account.settle(seen, proof, root_shown(wire, old, new))
            return True

        try:
            return self._calling(account.bureau, source, ask)
        except Forked:
            raise
        except Unreachable:
            return None
        except TallystickError:
            return False

    def _calling(self, ledger: Bureau, node: Bureau, call: Callable[[Wire], Result]) -> Result:
        """Ask a node about a ledger. Raises what the call raises."""
        wire = Wire(ledger, DEADLINE_S, node, self._credentials, self._patience)
        try:
            return call(wire)
        finally:
            wire.close()

    # What is held.

    def _holdings(self) -> dict[int, Holding]:
        return {
            ledger_number(origin): Holding(
                account.held,
                tuple(account.apart),
                self._against(account.bureau),
                tuple(account.past),
                frozenset(account.doubted),
            )
            for origin, account in self._accounts.items()
        }

    def _against(self, bureau: Bureau) -> bytes | None:
        """The evidence that is kept against the key a ledger has now."""
        for _, evidence in self._trust.evidence(bureau):
            with suppress(VerificationFailed):
                if accused_key(evidence, bureau) == bureau.ledger_verifier:
                    return evidence
        return None

    def _evidence(self) -> dict[str, Path]:
        kept = {bureau.id: self._trust.evidence(bureau) for bureau in self._charter.ledgers}
        return {bureau: found[0][0] for bureau, found in kept.items() if found}

    def _suspicions(self, account: Account) -> Iterator[Suspicion]:
        for path, note in self._trust.conflicts(account.bureau.origin):
            checkpoint = _opened(account, note)
            if checkpoint is not None:
                yield Suspicion(account.bureau.id, checkpoint.size, path)

    def _not_cosigned(self, asked: list[Asked]) -> dict[tuple[str, str], str]:
        ledgers = {ledger_number(bureau.origin): bureau.id for bureau in self._charter.ledgers}
        return {
            (each.node.id, ledgers[said.ledger]): said.why[:SENTENCE_CHARS_MAX]
            for each in asked
            for said in each.answer.not_cosigned
            if said.ledger in ledgers
        }


def _opened(account: Account, note: bytes) -> Checkpoint | None:
    """The checkpoint in a note of a ledger; None where it is none of it."""
    with suppress(VerificationFailed):
        return open_checkpoint(note, account.bureau.ledger_verifier, account.bureau.ends)
    return None


def _behind(request: SwapRequest, answer: SwapAnswer) -> set[int]:
    """The ledgers of which a node holds some, and less than it was told of, so that it showed nothing."""
    told = {line.ledger: line.size for line in request.line if not line.apart}
    return {
        line.ledger for line in answer.line if line.root and not line.apart and line.size < told.get(line.ledger, 0)
    }
