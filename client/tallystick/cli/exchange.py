"""Exchange: both halves of a movement of data, its use and its failure: `tally send`, `receive`, `use`, `failed`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.fields import check_value, line_of_stdin, option_of, uses_of, values_of
from tallystick.cli.options import Session, command
from tallystick.cli.recording import Recording, print_recorded, recording
from tallystick.cli.references import CodeOrVersion
from tallystick.core.errors import HalvesDiffer
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.sdk.arguments import FILE, TEXT

if TYPE_CHECKING:
    from tallystick.sdk.node import Node
    from tallystick.sdk.reader import Shown

_SENT = BY_NAME["DataSent"]
_RECEIVED = BY_NAME["DataReceived"]


@click.command(
    cls=Recording,
    kind=_SENT.name,
    params=[
        option_of(_SENT, use, required=use.name == "to")
        for use in uses_of(_SENT, without=("version", "resource", "exchange"))
    ],
)
@click.argument("what", metavar="CODE[@VERSION]", type=CodeOrVersion())
@click.option("--exchange", metavar="ID", type=TEXT, help="Your own id for it; else a new one.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the ledger's witnesses.")
@command
def send(
    session: Session, /, what: str, to: str, grant: str | None, exchange: str | None, no_wait: bool, **given: Any
) -> None:
    """Record that a version is about to be sent, before the first byte leaves, and print what to hand over with it.

    Where the ledger has a quorum of witnesses it waits a few seconds for them, and says whether they came.

    The text is the exchange's id and, where the digest of the version is salted, the salt: it is for the receiver
    alone. For a service, the bare code of the resource will do.

    \b
    Example:
      tally send SCJG-0012@2027-03 --to taxation --grant market-regulation#7
    """
    from tallystick.sdk.node import WAIT_WITNESSED_S

    values: dict[str, Any] = values_of(_SENT, session, given)
    session.profile.charter.ledger_of(to)
    wait_s = 0.0 if no_wait else WAIT_WITNESSED_S
    with (
        session.node() as node,
        node.sending(what, to=to, grant=grant, exchange=exchange, wait_witnessed_s=wait_s, **values) as sending,
    ):
        pass
    print_recorded(session, sending.receipt, {"exchange": sending.exchange})
    output = session.output
    if not output.json:
        output.line(output.say(f"hand over with the data: {sending.exchange}", f"随数据交付：{sending.exchange}"))


@click.command(
    cls=Recording,
    kind=_RECEIVED.name,
    params=[
        option_of(_RECEIVED, use, required=False)
        for use in uses_of(_RECEIVED, without=("version", "resource", "exchange", "sent"))
    ],
)
@click.argument("exchange", type=TEXT)
@click.argument("file", required=False, type=FILE)
@click.option("--of", metavar="CODE[@VERSION]", type=CodeOrVersion(), help="What it is; else what the other half says.")
@command
def receive(
    session: Session,
    /,
    exchange: str,
    file: Path | None,
    of: str | None,
    sender: str | None,
    size: int | None,
    digest: str | None,
    **given: Any,
) -> None:
    """Record that a file was received, under the EXCHANGE text that was handed over with it. The file is hashed here.

    The other half is looked up on the sender's ledger and cited. Where the two differ, what was received is recorded
    all the same, and the exit code is 5. What is no file takes its --size instead. As `-`, the text is read from
    standard input, where nobody else on the machine sees the salt. A short form, as in 7QK2M9, will do where just one
    exchange sent to this bureau has it; where none has, nothing is recorded.

    \b
    Example:
      tally receive 01a21113-f859-7f0a-9ca0-b0ff1e9066c5 licences.parquet --sender market-regulation
    """
    from tallystick.cli.output import progress_bar
    from tallystick.sdk.digests import size_of

    if (file is None) == (size is None and digest is None):
        raise click.UsageError("it takes FILE, or else --size or --digest", click.get_current_context())
    values: dict[str, Any] = values_of(_RECEIVED, session, given)
    check_value(_RECEIVED, "size", size)
    check_value(_RECEIVED, "digest", digest)
    if sender is not None:
        session.profile.charter.ledger_of(sender)
    total = 0 if file is None else size_of(file)
    if exchange == "-":
        exchange = line_of_stdin("exchange")
    differing: HalvesDiffer | None = None
    with session.node() as node, node.receiving(exchange, of=of, sender=sender, **values) as receiving:
        try:
            if file is None:
                receiving.data(size=size, digest=digest)
            else:
                with progress_bar(file.name, total, of_bytes=True) as progress:
                    receiving.file(file, progress=progress)
        except HalvesDiffer as error:
            differing = error
    assert receiving.receipt is not None
    sent = receiving.sent
    print_recorded(session, receiving.receipt, {"sent": None if sent is None else sent.reference})
    if differing is not None:
        raise differing
    if sent is None:
        output = session.output
        output.note(
            output.say(
                "No sending of it was found on a ledger that answers; it is recorded without citing one.",
                "在可应答的台账上未找到发送记录；本条未引用对方条目。",
            )
        )


def _half(node: Node, values: Mapping[str, object]) -> Shown | None:
    """The half that a failure is about: the sending, on this ledger or on the other side's."""
    from tallystick.sdk.exchange import find_sent, newest
    from tallystick.sdk.standing import kind_term

    exchange, other = values["exchange"], values.get("other")
    assert isinstance(exchange, bytes)
    if values["side"] == "sending":
        return newest(node, kind_term(_SENT.name), (TERM_FIELDS["exchange"], exchange))
    return find_sent(node.peers, exchange, node.bureau.id, None if other is None else str(other))


failed = recording(
    "failed",
    "ExchangeFailed",
    """Record that an exchange failed, on one side or the other. The other half is looked up and cited.

    \b
    Example:
      tally failed 01a21113-f859-7f0a-9ca0-b0ff1e9066c5 --side receiving --reason checksum --words "two tries"
    """,
    cites=("DataSent", "DataReceived"),
    find=_half,
)

use = recording(
    "use",
    "DataUsed",
    """Record that data was used: a version, or for a service the bare code of its resource.

    Whom or what was looked up is never given as an argument; it is read from standard input, and only a commitment to
    it is recorded.

    \b
    Example:
      tally use SCJG-0012@2027-03 --purpose tax-registration --case 2026-11-0042 --subject-from-stdin < subject
    """,
    argument="version",
    cites=("AccessGranted",),
)
