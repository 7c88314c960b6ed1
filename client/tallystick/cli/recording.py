"""Commands that record one statement: each is a kind, what is its argument, what is fixed, and what it may cite.

Options are derived (`fields`). An entry that is cited is read and verified first, and what it speaks of goes over to
the statement that cites it (`sdk.citing`), except where the command line says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.fields import argument_of, flag_of, option_of, uses_of, values_of
from tallystick.cli.options import Session, command
from tallystick.cli.references import CodeOrVersion, EntryOrFinding, names_finding
from tallystick.core.errors import InvalidStatement, Usage
from tallystick.core.kinds import BY_NAME, TERM_FIELDS, Kind, Use

if TYPE_CHECKING:
    from tallystick.sdk.node import Node
    from tallystick.sdk.reader import Shown
    from tallystick.sdk.receipt import Receipt


class Recording(click.Command):
    """A command that records statements of `kind`."""

    def __init__(self, *arguments: Any, kind: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kind = BY_NAME[kind]


@dataclass(frozen=True, slots=True)
class Form:
    """What a command asks for, and what it says by itself.

    `argument` names the field that is the positional argument, by default the first its kind names; `fixed` fields are
    said without being asked for; `choices` narrows an enum. What is cited must be one of the kinds in `cites`, if there
    are any; the fields in `apart` are not taken over from it. `finding`, unless it is None, is what is said instead of
    `fixed` where the argument is the id of a finding. `find` looks for what to cite where nothing was given. Of the
    fields in `one_of` one at least is to be given; `another` names another bureau than the profile's own, `to_come` a
    day that is not past, unless it says when that happened. `unless` is the kind by which the own ledger answered what
    is cited already. A ledger takes what is refused here, and keeps it for good.
    """

    kind: Kind
    argument: str
    fixed: Mapping[str, object] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cites: Sequence[str] = ()
    apart: Sequence[str] = ()
    finding: Mapping[str, object] | None = None
    find: Callable[[Node, Mapping[str, object]], Shown | None] | None = None
    one_of: Sequence[str] = ()
    another: str = ""
    to_come: str = ""
    unless: str = ""

    @property
    def citation(self) -> Use | None:
        """The field that cites what is answered."""
        return next((use for use in self.kind.head_uses if use.field.name == "about"), None)

    def parameters(self) -> list[click.Parameter]:
        """The argument and the options."""
        argument = self.kind.use(self.argument)
        assert argument is not None
        metavar: str | None = None
        type_: click.ParamType[str] | None = None
        if self.finding is not None:
            metavar, type_ = "REF|FINDING", EntryOrFinding()
        elif self._takes_code:
            metavar, type_ = "CODE[@VERSION]", CodeOrVersion()
        elif argument.field.name == "exchange":
            metavar = "EXCHANGE"
        asked = uses_of(self.kind, without={self.argument, "finding", *self.fixed, *self._spoken_for})
        return [
            argument_of(argument, metavar, type_),
            *(
                option_of(self.kind, use, required=self._is_needed(use), choices=self.choices.get(use.name, ()))
                for use in asked
            ),
        ]

    @property
    def _takes_code(self) -> bool:
        """Whether the argument is a version, or the bare code of a resource."""
        return self.argument == "version" and self.kind.use("resource") is not None

    @property
    def _spoken_for(self) -> set[str]:
        return {"resource"} if self._takes_code else set()

    def _is_needed(self, use: Use) -> bool:
        """Whether click must insist; what the cited entry may bring along is missed later, if it does not."""
        about = self.citation
        brought = use.in_head and about is not None and about.name == self.argument and use.name not in self.apart
        return use.required and not brought

    def read(self, session: Session, given: Mapping[str, Any]) -> dict[str, object]:
        """The values of the command line."""
        from tallystick.sdk.exchange import scope_of

        if self.one_of and not any(given[name] for name in self.one_of):
            options = " or ".join(f"--{name}" for name in self.one_of)
            raise click.UsageError(f"it takes {options}", click.get_current_context())
        named = given[self.argument]
        if self.finding is not None and names_finding(named):
            values = values_of(self.kind, session, {**given, self.argument: None})
            return {**values, **self.finding, "finding": named}
        if self._takes_code:
            given = {**given, self.argument: None, **scope_of(named)}
        values = values_of(self.kind, session, given)
        if self.another:
            _check_another(session, self.another, str(values.get(self.another)))
        if self.to_come in values and "happened_at" not in values:
            _check_to_come(session, self.to_come, str(values[self.to_come]))
        return {**self.fixed, **values}

    def cited(self, node: Node, values: dict[str, object]) -> dict[str, object]:
        """The values with the citation that was named, read and verified, and what it brings along."""
        from tallystick.sdk.citing import carry, cite

        about = self.citation
        shown = None
        self._check_other_side(node, values)
        if about is not None and about.name in values:
            shown = cite(node.peers, str(values[about.name]), *self.cites)
        elif self.find is not None:
            shown = self.find(node, values)
        if shown is not None:
            assert about is not None
            apart = dict.fromkeys(self.apart)
            self._check_not_said(node, shown)
            values = carry(self.kind, shown, {**apart, **values}, own=node.bureau.id) | {about.name: shown.ref}
            answered = shown.read.statement.concern_raised.finding
            if self.finding is not None and answered:
                values["finding"] = answered
        for use in self.kind.head_uses:
            if use.required and use.name not in ("kind", "actor") and not values.get(use.name):
                names = "nothing that was cited names it" if shown is None else f"{shown.reference} names none"
                raise Usage(f"--{flag_of(use)} is missing, and {names}", expected=f"--{flag_of(use)}")
        self._check_other_side(node, values)
        return values

    def _check_not_said(self, node: Node, cited: Shown) -> None:
        """Its own ledger does not say `unless` of what is cited. Raises InvalidStatement."""
        from tallystick.sdk.exchange import newest
        from tallystick.sdk.standing import kind_term

        if not self.unless:
            return
        place = f"{cited.origin}#{cited.entry.index}".encode()
        said = newest(node, kind_term(self.unless), (TERM_FIELDS["about"], place))
        if said is not None:
            raise InvalidStatement(
                f"{cited.reference} was answered by {said.reference}, {BY_NAME[self.unless].en.lower()}",
                expected=f"what is not; tally end {said.reference} ends that",
            )

    def _check_other_side(self, node: Node, values: Mapping[str, object]) -> None:
        """Who has no ledger, or is misspelt, owes nothing. Raises NotFound."""
        for use in self.kind.head_uses:
            if use.field.name == "counterparty" and values.get(use.name):
                node.peers.charter.ledger_of(str(values[use.name]))


def _check_another(session: Session, option: str, bureau: str) -> None:
    """Nobody owes itself an answer. Raises Usage."""
    if session.profile.has_bureau and bureau == session.profile.bureau.id:
        raise Usage(f"{bureau} is the profile's own bureau", where=f"--{option}", expected="another one")


def _check_to_come(session: Session, option: str, day: str) -> None:
    """A day that is asked for is not past. Raises Usage."""
    from tallystick.core.calendar import Calendar
    from tallystick.sdk.clock import now_us

    today = Calendar(session.zone).day_of(now_us())
    if day < today.isoformat():
        raise Usage(
            f"{day} is past", where=f"--{option}", expected="a day to come, or --happened, which says since when"
        )


def recording(name: str, kind: str, help_: str, *, argument: str | None = None, **form: Any) -> Recording:
    """A command that records one statement of a kind; see `Form`."""
    known = BY_NAME[kind]
    made = Form(known, argument or known.uses[0].name, **form)

    @command
    def run(session: Session, /, **given: Any) -> None:
        values = made.read(session, given)
        with session.node() as node:
            said = made.cited(node, values)
            receipt = node.record(kind, **said)
        print_recorded(session, receipt)
        for use in known.head_uses:
            if use.field.name == "counterparty" and said.get(use.name):
                _note_suspended(session, str(said[use.name]))

    return click.command(name, cls=Recording, kind=kind, params=made.parameters(), help=help_)(run)


def _note_suspended(session: Session, bureau: str) -> None:
    """Remark where who is addressed can record no answer for now."""
    charter, output = session.profile.charter, session.output
    if charter.by_id(bureau).state == "suspended":
        output.note(
            output.say(
                f"{bureau} is suspended by the charter, in version {charter.version}, and can record nothing for now.",
                f"{bureau} 在章程第 {charter.version} 版中为暂停，其间不能入账。",
            )
        )


def print_recorded(session: Session, receipt: Receipt, extra: Mapping[str, object] | None = None) -> None:
    """Where a statement stands now, and what it says."""
    from tallystick.cli.describe import Describer
    from tallystick.sdk.citing import shown_in

    read = shown_in(receipt).read
    describer = Describer(session.profile.charter, session.language, session.zone)
    assert read.kind is not None
    what = {"kind": read.kind.name, "said": describer.said_json(read), **(extra or {})}
    print_receipt(session, receipt, what, describer.summary(read))


def print_receipt(session: Session, receipt: Receipt, what: Mapping[str, object], about: str) -> None:
    """Where a statement stands now."""
    output = session.output
    if output.json:
        output.document(
            {
                "recorded": True,
                "reference": receipt.reference,
                "index": receipt.index,
                "standing": receipt.standing,
                "cosigned_by": list(receipt.cosigned_by),
                **what,
            }
        )
        return
    output.line(f"{receipt.reference}  {_standing(session, receipt)}  {about}")


def _standing(session: Session, receipt: Receipt) -> str:
    """What a receipt proves: recorded, or witnessed too; and where witnesses were waited for in vain, that."""
    say = session.output.say
    count = len(receipt.cosigned_by)
    if receipt.standing == "witnessed":
        return say(f"witnessed by {count}", f"已入账并经 {count} 家见证")
    if receipt.waited:
        return say(f"recorded; not witnessed in time ({count} cosigned it)", f"已入账，未及时获见证（{count} 家副署）")
    return say("recorded; not witnessed yet", "已入账，尚未见证")
