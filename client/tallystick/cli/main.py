"""`tally`: the commands, and what every one of them ends with.

Exit codes: 0 fine, 1 findings, 2 usage, 3 unreachable, 4 refused or not found, 5 verification failed; 70 a fault of the
program itself, 130 interrupted, 141 where the reader of the output went away. What went wrong is one line on stderr,
`tally: …`; never a traceback, unless TALLYSTICK_DEBUG is set.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

import click

from tallystick.cli.lazy import Lazy, LazyGroup
from tallystick.cli.options import shared_options
from tallystick.core.errors import FAULT, Refused, TallystickError
from tallystick.core.safe_text import sanitise
from tallystick.sdk.wrong_usage import drop_output, system_error, wrong_usage

DEBUG = "TALLYSTICK_DEBUG"
INTERRUPTED = 130
READER_WENT = 141

SECTIONS = (
    (
        "Begin",
        (
            Lazy("status", "tallystick.cli.begin:status", "Show every ledger of the charter, and whether it answers."),
            Lazy("inbox", "tallystick.cli.questions.owed:inbox", "List what this bureau has to answer, and by when."),
        ),
    ),
    (
        "Catalogue",
        (
            Lazy("declare", "tallystick.cli.catalogue:declare", "Declare a resource in this bureau's catalogue."),
            Lazy("withdraw", "tallystick.cli.catalogue:withdraw", "Withdraw a resource from it."),
            Lazy("provide", "tallystick.cli.catalogue:provide", "Record a version of a resource from its file."),
            Lazy("recall", "tallystick.cli.catalogue:recall", "Recall a version."),
        ),
    ),
    (
        "Share",
        (
            Lazy("request", "tallystick.cli.share:request", "Ask for access to a resource."),
            Lazy("grant", "tallystick.cli.share:grant", "Grant it."),
            Lazy("deny", "tallystick.cli.share:deny", "Refuse it."),
            Lazy("end", "tallystick.cli.share:end", "End it."),
        ),
    ),
    (
        "Exchange",
        (
            Lazy("send", "tallystick.cli.exchange:send", "Record a sending, before the first byte leaves."),
            Lazy("receive", "tallystick.cli.exchange:receive", "Record what was received."),
            Lazy("use", "tallystick.cli.exchange:use", "Record a use of data."),
            Lazy("failed", "tallystick.cli.exchange:failed", "Record that an exchange failed."),
        ),
    ),
    (
        "Answer",
        (
            Lazy("acknowledge", "tallystick.cli.answer:acknowledge", "Acknowledge a notice."),
            Lazy("ask", "tallystick.cli.answer:ask", "Ask what an entry means."),
            Lazy("dispute", "tallystick.cli.answer:dispute", "Dispute what an entry brought."),
            Lazy("incident", "tallystick.cli.answer:incident", "Report a security incident."),
            Lazy("answer", "tallystick.cli.answer:answer", "Answer a question, a dispute or a finding."),
        ),
    ),
    (
        "Duties",
        (Lazy("duty", "tallystick.cli.duty:duty", "Who answers for what.", "assign | accept | decline | release"),),
    ),
    (
        "Systems",
        (Lazy("system", "tallystick.cli.system:system", "The inventory of systems.", "register | used | retire"),),
    ),
    (
        "Ask",
        (
            Lazy("who", "tallystick.cli.questions.who:who", "Say who answers for something, on a day."),
            Lazy("trace", "tallystick.cli.questions.trace:trace", "Follow data upstream and downstream."),
            Lazy("access", "tallystick.cli.questions.access:access", "Say who may have a resource, and who had it."),
            Lazy("impact", "tallystick.cli.questions.impact:impact", "List who holds a version, and what they did."),
            Lazy("case", "tallystick.cli.questions.case:case", "Show everything recorded for a case."),
            Lazy("owed", "tallystick.cli.questions.owed:owed", "List what bureaus owe each other, and by when."),
            Lazy(
                "catalogue",
                "tallystick.cli.questions.catalogue:catalogue",
                "List what is declared, and how it is shared.",
            ),
            Lazy("systems", "tallystick.cli.questions.systems:systems", "List the systems, and whether they are used."),
            Lazy("lookups", "tallystick.cli.questions.lookups:lookups", "List who looked data up, when, and for what."),
            Lazy("shown", "tallystick.cli.questions.shown:shown", "List who was shown what."),
            Lazy("log", "tallystick.cli.ask:log", "List what a ledger holds."),
            Lazy("show", "tallystick.cli.show:show", "Show one entry, with its author."),
        ),
    ),
    (
        "Judge",
        (
            Lazy("audit", "tallystick.cli.audit:audit", "Judge every ledger by every rule, and say who answers."),
            Lazy(
                "reconcile", "tallystick.cli.questions.reconcile:reconcile", "Hold both halves of exchanges together."
            ),
            Lazy("report", "tallystick.cli.report:report", "Write the audit as a page, a worksheet or a table."),
        ),
    ),
    (
        "Prove",
        (
            Lazy("prove", "tallystick.cli.prove:prove", "Write an evidence file for one entry."),
            Lazy("verify", "tallystick.cli.prove:verify", "Verify an evidence file, offline."),
        ),
    ),
    (
        "Bring in",
        (
            Lazy(
                "import",
                "tallystick.cli.bring_in:import_",
                "Bring in other people's records.",
                "dcat | xroad | systems",
            ),
        ),
    ),
    (
        "Trust",
        (
            Lazy(
                "charter",
                "tallystick.cli.charter_life:charter",
                "Show the charter, and take it from version to version.",
                "show | verify | propose | key | sign | adopt",
            ),
            Lazy(
                "identity",
                "tallystick.cli.identity:identity",
                "Make, register and revoke keys.",
                "init | register | revoke | show | renew",
            ),
        ),
    ),
    (
        "Secrets",
        (
            Lazy(
                "key",
                "tallystick.cli.key:key",
                "Look at key files, and encrypt them.",
                "show | encrypt | change | reseal",
            ),
            Lazy("erase", "tallystick.cli.erase:erase", "Erase for good what opens a commitment."),
        ),
    ),
    (
        "Shell",
        (Lazy("completion", "tallystick.cli.completion:completion", "Print a script for the shell's completion."),),
    ),
)


class _ReaderWent(Exception):
    """Nobody reads the output any more."""


class _Tally(LazyGroup):
    def invoke(self, ctx: click.Context) -> object:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            raise _ReaderWent from None


@click.command(
    "tally",
    cls=_Tally,
    sections=SECTIONS,
    closing="Every answer was verified before it was shown and ends with what it does not cover.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="tallystick", prog_name="tally", message="%(prog)s %(version)s")
@shared_options
def tally() -> None:
    """Record what moves between bureaus, ask any ledger, and believe nothing that is not proven."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    # A stream that is closed is None: what has no reader goes nowhere, and no socket takes its number.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal's encoding lacks is shown, not raised
    try:
        result = tally.main(None if arguments is None else list(arguments), prog_name="tally", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.Abort:
        return INTERRUPTED
    except SystemExit as error:  # click leaves so after completing, with 0, and where the reader of its help went away
        return _reader_went() if error.code else 0
    except (_ReaderWent, BrokenPipeError):
        return _reader_went()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # a group called alone is asked what it can do
        return error.exit_code
    except click.ClickException as error:
        return _say(wrong_usage(error, "tally"), error.exit_code)
    except TallystickError as error:
        return _say(str(error), error.exit_code, error)
    except OSError as error:
        if error.filename is None:
            drop_output()
        said = system_error(error)
        return _say(str(said), said.exit_code, error)
    except RecursionError as error:
        return _say("the input is nested too deeply", Refused.exit_code, error)
    except Exception as error:
        what = f"a fault of this program, please report it: {type(error).__name__}: {error} ({DEBUG}=1 shows where)"
        return _say(what, FAULT, error)


def _say(sentence: str, exit_code: int, error: BaseException | None = None) -> int:
    if error is not None and os.environ.get(DEBUG):
        from traceback import print_exception

        print_exception(error)
    with suppress(OSError):
        print(f"tally: {sanitise(sentence)}", file=sys.stderr)
    return exit_code


def _reader_went() -> int:
    drop_output()
    return READER_WENT


if __name__ == "__main__":
    sys.exit(main())
