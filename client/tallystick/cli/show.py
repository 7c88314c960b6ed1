"""Ask: `tally show`, one entry with everything it says and who signed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command
from tallystick.cli.references import Committed, EntryReference
from tallystick.core.counted import counted_entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallystick.cli.describe import Describer
    from tallystick.core.evidence import Proven
    from tallystick.sdk.ledgers import Ledgers


class _Disclosed(Committed):
    """A field, or nothing: all of them."""

    def read(self, text: str) -> None:
        if text:
            super().read(text)


disclose_option = click.option(
    "--disclose",
    metavar="[FIELD]",
    type=_Disclosed(),
    is_flag=False,
    flag_value="",
    help="Show what opens its commitments too: in FIELD, or all that you may see. That is recorded.",
)


def disclosed_fields(ledgers: Ledgers, reference: str, named: str | None) -> list[str] | None:
    """What `--disclose` names of an entry, as the SDK takes it. Raises NotFound."""
    if not named:
        return None if named is None else []
    from tallystick.core.kinds import sensitive_path

    return [sensitive_path(ledgers.show(reference).read.kind, named)]


@click.command()
@click.argument("reference", metavar="REF", type=EntryReference())
@disclose_option
@command
def show(session: Session, reference: str, disclose: str | None) -> None:
    """Show one entry, as in `taxation#1088`: all that it says, and who signed it.

    Verified before it is shown: that the entry is in the ledger its node signed, that its author signed it, and that
    the author's key was registered before.

    \b
    Examples:
      tally show taxation#1088 --lang zh
      tally show taxation#1088 --disclose subject
    """
    from tallystick.cli.describe import Describer
    from tallystick.sdk.witnessing import refreshed

    with session.ledgers() as ledgers:
        reader, index = ledgers.locate(reference)
        _, witnessed = refreshed(reader, ledgers.charter)
        proven = ledgers.show(reference, disclosed_fields(ledgers, reference, disclose))
        erased = reader.erasures(index) if _committed(proven) else {}
        describer = Describer(ledgers.charter, session.language, session.zone)
        keeper = reader.keeper
    standing: dict[str, Any] = {
        "witnessed": None if witnessed is None else proven.entry.index < witnessed,
        "keeper": keeper or None,
        "standing": _standing(session, proven, witnessed, keeper),
        "erased": {path.partition(".")[2]: f"{proven.bureau.id}#{by}" for path, by in erased.items()},
    }
    print_proven(session, describer, proven, standing)


def print_proven(session: Session, describer: Describer, proven: Proven, standing: dict[str, Any]) -> None:
    """An entry that was proven, with what that means; `standing` is what was shown besides: how far it is witnessed,
    and, by its ledger, from whose copy, and which of its fields it says were erased.
    """
    output = session.output
    verified, not_covered = sentences(session, describer, proven)
    if output.json:
        said = proven_json(describer, proven) | {"verified": verified, "not_covered": not_covered}
        output.document(said | standing)
        return
    entry, read = proven.entry, proven.read
    say = output.say
    author = f"{proven.author.actor} ({_role(session, proven)})"
    erased = standing.get("erased", {})
    facts: list[tuple[str, str | list[str]]] = [
        (say("entry", "条目"), proven.reference),
        (say("ledger", "台账"), f"{describer.bureau(proven.bureau.id)} ({proven.bureau.origin})"),
        (say("kind", "类别"), describer.kind(read)),
        *describer.facts(read),
        *((say(f"{label}, opened", f"{label}（已打开）"), value) for label, value in _opened(session, proven)),
        *((say(f"{label}, erased", f"{label}（已销毁）"), by) for label, by in _erased(session, proven, erased)),
        (say("signed by", "签署"), author),
        (say("key", "公钥"), proven.author.key.hex()),
        (say("key registered", "公钥登记"), _registered(session, proven)),
        *_revoked(session, describer, proven),
        (say("submission", "提交"), f"{proven.signature.submission_id.hex()}, {_place(session, proven)}"),
        (say("recorded", "入账时间"), describer.moment(entry.recorded_at_us)),
        (say("leaf", "叶散列"), proven_json(describer, proven)["leaf"]),
        (say("chain hash", "链散列"), proven_json(describer, proven)["chain_hash"]),
        (say("entry before", "前条链散列"), entry.prev.hex()),
    ]
    if not read.understood:
        facts.append((say("note", "注"), say("it says more than this version understands", "含本版本不识别的内容")))
    output.facts(facts)
    output.line()
    output.line(verified)
    output.line(standing["standing"])
    output.line(not_covered)


def proven_json(describer: Describer, proven: Proven) -> dict[str, Any]:
    """An entry that was proven, for programs."""
    from tallystick.core.hashing import chain_hash
    from tallystick.core.kinds import role_label
    from tallystick.core.moments import moment_json

    author = proven.author
    return describer.entry_json(proven.bureau.id, proven.bureau.origin, proven.entry, proven.read) | {
        "author": {
            "actor": author.actor,
            "role": role_label(author.role, "en"),
            "key": author.key.hex(),
            "registered_at": author.index,
            "revoked_at": author.revoked if author.index is not None else None,
            "compromised_since": moment_json(author.compromised_since_us) if author.compromised_since_us else None,
        },
        "suspect": proven.suspect,
        "submission": {
            "id": proven.signature.submission_id.hex(),
            "count": proven.signature.count,
            "first": proven.entry.first,
        },
        "disclosed": {each.field.partition(".")[2]: value_text(each.value) for each in proven.disclosures},
        "chain_hash": chain_hash(proven.entry.raw).hex(),
        "prev": proven.entry.prev.hex(),
        "checkpoint": {"size": proven.checkpoint.size, "root": proven.checkpoint.root.hex()},
    }


def _committed(proven: Proven) -> bool:
    """Whether an entry has a commitment that something may have opened."""
    from tallystick.core.kinds import SENSITIVE
    from tallystick.core.statement import commitment_at

    return any(commitment_at(proven.entry.statement, path) is not None for path in SENSITIVE)


def _opened(session: Session, proven: Proven) -> list[tuple[str, str]]:
    """The disclosures that came with an entry: what each field is called, and the value that was committed to."""
    return [
        (_label(session, proven, disclosure.field.partition(".")[2]), value_text(disclosure.value))
        for disclosure in proven.disclosures
    ]


def _erased(session: Session, proven: Proven, erased: Mapping[str, str]) -> list[tuple[str, str]]:
    """What each field is called of which its ledger says that it was erased, and where it says that."""
    said = session.output.say("as {} says: its node's word", "见 {}，以其节点所称为准")
    return [(_label(session, proven, name), said.format(by)) for name, by in erased.items()]


def _label(session: Session, proven: Proven, name: str) -> str:
    """What a field of an entry is called; by its own name where its kind has none such."""
    kind = proven.read.kind
    use = None if kind is None else kind.use(name)
    return name if use is None else use.label(session.language)


def value_text(value: bytes) -> str:
    """A committed value as text; what is none, in hexadecimal."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"0x{value.hex()}"


def sentences(session: Session, describer: Describer, proven: Proven) -> tuple[str, str]:
    """What is proven of the entry, and what is not."""
    say = session.output.say
    name = describer.bureau(proven.bureau.id)
    where = proven.reference
    verified = say(
        f"Proven: {where} is in the ledger of {name} that its key signed at {counted_entries(proven.checkpoint.size)}, "
        f"and {proven.author.actor} signed what it says.",
        f"已证明：{where} 在{name}以其密钥签署的 {proven.checkpoint.size} 条台账之中，"
        f"内容由 {proven.author.actor} 签署。",
    )
    if proven.author.index is None:
        key = say("The key is named by the charter.", "公钥由章程载明。")
    elif proven.author.revoked is None:
        key = say(
            f"The key was registered at #{proven.author.index}; a revocation before this entry is not excluded.",
            f"公钥登记于 #{proven.author.index}；不排除其在本条之前已被注销。",
        )
    else:
        key = say(
            f"The key was registered at #{proven.author.index}, and revoked after this entry, at"
            f" #{proven.author.revoked}.",
            f"公钥登记于 #{proven.author.index}，在本条之后注销于 #{proven.author.revoked}。",
        )
    if proven.suspect:
        since = describer.moment(proven.author.compromised_since_us)
        key += say(
            f" Suspect: by its registrar's word the key was compromised since {since}, before its ledger dates this;"
            " whether the author signed it is in doubt.",
            f"存疑：据登记员所称，该密钥自 {since} 起可疑，早于台账所载本条入账时间；是否为本人签署存疑。",
        )
    truth = say(
        "Not covered: whether what it says is true, and what was never recorded.",
        "未覆盖：所述是否属实，以及从未入账的事项。",
    )
    return say(f"{verified} {key}", f"{verified}{key}"), truth


def _standing(session: Session, proven: Proven, witnessed: int | None, keeper: str) -> str:
    """Whether the entry is witnessed, and whose copy showed it, if any."""
    from tallystick.audit.words import Words

    words = Words(session.profile.charter, session.language)
    said = words.witnessed(proven.bureau.id, proven.entry.index, witnessed)
    if keeper:
        said += words.say(" ", "") + words.shown_by(proven.bureau.id, keeper, proven.checkpoint.size)
    return said


def _role(session: Session, proven: Proven) -> str:
    from tallystick.core.kinds import role_label

    return role_label(proven.author.role, session.language)


def _registered(session: Session, proven: Proven) -> str:
    if proven.author.index is None:
        return session.output.say("named by the charter", "章程载明")
    return f"#{proven.author.index}"


def _revoked(session: Session, describer: Describer, proven: Proven) -> list[tuple[str, str]]:
    """Where the key was revoked, and since when it was compromised; nothing where that was not shown."""
    author, say = proven.author, session.output.say
    if author.index is None or author.revoked is None:
        return []
    since = author.compromised_since_us
    compromised = [(say("compromised since", "可疑起始"), describer.moment(since))] if since else []
    return [(say("key revoked", "公钥注销"), f"#{author.revoked}"), *compromised]


def _place(session: Session, proven: Proven) -> str:
    position, count = proven.entry.index - proven.entry.first + 1, proven.signature.count
    return session.output.say(f"{position} of {count}", f"{count} 条之第 {position} 条")
