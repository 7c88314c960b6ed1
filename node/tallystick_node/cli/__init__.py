"""`tallyd`: the command of who runs a node. Each command imports what it needs when called, so that help is fast."""

from __future__ import annotations

import signal
import sys

import click

from tallystick.core.errors import FAULT, TallystickError
from tallystick.sdk.wrong_usage import drop_output, system_error, wrong_usage
from tallystick_node.cli.backup import backup, restore
from tallystick_node.cli.cert import cert
from tallystick_node.cli.charter import charter
from tallystick_node.cli.cluster import cluster
from tallystick_node.cli.init import init
from tallystick_node.cli.node import completion, config, fsck, run
from tallystick_node.cli.recover import recover
from tallystick_node.console import exit_on_signal, say

EPILOG = (
    "Exit codes: 0 fine, 2 usage, 3 unreachable, 4 refused, not found or the disk's fault, "
    "5 verification failed or differences found, 70 a fault of the program itself."
)


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tallystick", prog_name="tallyd", message="%(prog)s %(version)s")
def tallyd() -> None:
    """A bureau's node: it keeps one ledger, answers for it, and proves what it answers."""


for _command in (init, run, fsck, backup, restore, recover, config, charter, cert, cluster, completion):
    tallyd.add_command(_command)


def main() -> None:
    """Run the command; every error is one line on standard error and an exit code."""
    signal.signal(signal.SIGTERM, exit_on_signal)
    try:
        code = tallyd.main(standalone_mode=False)
    except click.Abort:
        code = 128 + signal.SIGINT
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # a group called alone is asked what it can do
        code = error.exit_code
    except click.ClickException as error:
        say(wrong_usage(error, "tallyd"))
        code = error.exit_code
    except TallystickError as error:
        say(str(error))
        code = error.exit_code
    except BrokenPipeError:
        drop_output()  # nobody reads on; that is no error
        code = 0
    except OSError as error:
        if error.filename is None:
            drop_output()
        said = system_error(error)
        say(str(said))
        code = said.exit_code
    except Exception as error:  # a bug: still one line
        say(f"an internal error: {type(error).__name__}: {error}")
        code = FAULT
    sys.exit(code)
