"""What every command takes, before or after its name: `--profile`, `--json`, `--lang`, `--passphrase-fd`; and what they
open.

The innermost wins where one is given twice. A command gets a `Session` as its first argument; nothing is read, and
nothing but click imported, before the command asks it for something.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from tallystick.cli.references import META, BureauId
from tallystick.core.errors import CharterMismatch, MalformedCharter
from tallystick.sdk.arguments import FILE

if TYPE_CHECKING:
    from datetime import tzinfo

    from tallystick.cli.output import Output
    from tallystick.core.bureau import Bureau
    from tallystick.sdk.ledgers import Ledgers
    from tallystick.sdk.node import Node
    from tallystick.sdk.passphrase import Passphrase
    from tallystick.sdk.profile import Profile

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class Session:
    """What one run of a command works with, opened when first asked for."""

    def __init__(
        self, profile_path: Path | None, json: bool, language: str | None, source: str = "", fd: int | None = None
    ) -> None:
        self.json = json
        self.source = source
        self._profile_path = profile_path
        self._language = language
        self._profile: Profile | None = None
        self._fd = fd
        self._passphrase: Passphrase | None = None

    @property
    def passphrase(self) -> Passphrase:
        """What opens encrypted keys, and what new ones are put under."""
        if self._passphrase is None:
            from tallystick.sdk.passphrase import Passphrase

            self._passphrase = Passphrase(self._fd)
        return self._passphrase

    @property
    def tells_passphrase(self) -> bool:
        """Whether the command line says where the passphrase comes from."""
        return self._fd is not None

    @property
    def profile(self) -> Profile:
        """The profile. Raises ConfigInvalid, or VerificationFailed where its charter is not the one trusted."""
        if self._profile is None:
            from tallystick.cli.output import seen_remarks
            from tallystick.sdk.patience import SILENCE_MAX_S, Patience
            from tallystick.sdk.profile import Profile

            patience = Patience(SILENCE_MAX_S, self._say_waiting if seen_remarks() else None)
            self._profile = Profile.load(self._profile_path, self.passphrase, patience)
        return self._profile

    def _say_waiting(self, node: Bureau) -> None:
        name = node.label("zh") if self.language == "zh" else node.id
        self.output.note(
            self.output.say(
                f"waiting for {name} at {node.endpoint}, which has not answered yet",
                f"正在等待{name}（{node.endpoint}），尚无应答",
            )
        )

    @property
    def live_profile(self) -> Profile:
        """The profile, its charter in force, and the only version of its number that is signed.

        An expired charter, or one of two, ends recording and reading, never `verify`.
        """
        from tallystick.sdk.clock import now_us

        profile = self._in_force()
        profile.check_current(now_us())
        return profile

    def _in_force(self) -> Profile:
        """The profile, its charter not expired, and what nodes are shown of it opened.

        Here, once: later, nodes are asked at once and a bar moves, and who is asked for a passphrase sees neither well.
        """
        from tallystick.sdk.clock import now_us

        charter = self.profile.charter
        if charter.expired(now_us()):
            raise CharterMismatch(
                f"version {charter.version} of charter {charter.name} expired on {charter.expires:%Y-%m-%d}",
                where=str(self.profile.path),
                expected="a later version",
            )
        credentials = self.profile.credentials
        if credentials is not None and any(bureau.certificate_authority for bureau in charter.bureau):
            credentials.read()
        return self.profile

    @property
    def language(self) -> str:
        """`--lang`, else the language of the profile that was read, else English."""
        return self._language or (self._profile.language if self._profile is not None else "en")

    @property
    def zone(self) -> tzinfo:
        """Where times are shown in: the time zone of the charter's rulebook, else UTC."""
        from datetime import UTC

        from tallystick.sdk.rulebook import zone_of

        if self._profile is None:
            return UTC
        try:
            return zone_of(self._profile.charter)
        except MalformedCharter:  # a zone this machine does not know: times are still worth showing
            return UTC

    @property
    def output(self) -> Output:
        """Where this command prints."""
        from tallystick.cli.output import Output

        return Output(self.json, self.language)

    def ledgers(self) -> Ledgers:
        """All ledgers of the charter, to be read, each from its own node or, where `source` names one, all from that.

        Raises what the profile raises, and NotFound.
        """
        from tallystick.sdk.ledgers import Ledgers

        return Ledgers.open(self.live_profile, source=self.source or None)

    def ledgers_as_shown(self) -> Ledgers:
        """The same for what says itself that the charter's holders signed two of it: then nothing else is read."""
        from tallystick.sdk.ledgers import Ledgers

        return Ledgers(self._in_force(), source=self.source or None)

    def node(self) -> Node:
        """The profile's own node, under the profile's identity. Raises what the profile raises."""
        from tallystick.sdk.node import Node

        return Node.open(self.live_profile)


def _keep(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    if value is not None and value is not False:
        ctx.meta[f"{META}{parameter.name}"] = value


def shared_options(function: F) -> F:
    """Add the four options to a command or group."""
    for option in (
        click.option(
            "--passphrase-fd",
            metavar="N",
            type=int,
            callback=_keep,
            expose_value=False,
            help="Read the passphrase of encrypted keys from this file descriptor; else it is asked for.",
        ),
        click.option(
            "--lang",
            type=click.Choice(["en", "zh"]),
            callback=_keep,
            expose_value=False,
            help="The language of what is printed.",
        ),
        click.option("--json", is_flag=True, callback=_keep, expose_value=False, help="Print JSON."),
        click.option(
            "--profile",
            metavar="FILE",
            type=FILE,
            callback=_keep,
            expose_value=False,
            help="Which charter, node and identity to use; else $TALLYSTICK_PROFILE, else the user's own.",
        ),
    ):
        function = option(function)
    return function


def new_file(help_: str = "Where to", *, metavar: str = "FILE", required: bool = False) -> Callable[[F], F]:
    """`-o FILE`, by the rule of `sdk.files.check_new`, which the command calls before it works."""
    return click.option(
        "-o",
        "--output",
        "target",
        metavar=metavar,
        required=required,
        type=FILE,
        help=f"{help_}. Folders on the way are made; a file that is there is not replaced.",
    )


force = click.option("--force", is_flag=True, help="Replace the file that is there.")
"""For a command whose `-o FILE` may be written again."""

read_from = click.option(
    "--from",
    "source",
    metavar="BUREAU",
    type=BureauId(),
    callback=_keep,
    expose_value=False,
    help="Read every ledger from this bureau's node, an observer's say, which keeps copies of the others.",
)
"""For a command that reads every ledger whole."""


def command(function: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """A command's function: it takes the four options, and gets what they open as its first argument."""

    @shared_options
    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        return function(session_of(click.get_current_context()), *arguments, **options)

    return run


def session_of(ctx: click.Context) -> Session:
    """The session of a context, from what was given anywhere on the command line."""
    meta = ctx.meta
    return Session(
        meta.get(f"{META}profile"),
        bool(meta.get(f"{META}json")),
        meta.get(f"{META}lang"),
        meta.get(f"{META}source", ""),
        meta.get(f"{META}passphrase_fd"),
    )
