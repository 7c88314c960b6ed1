"""One node as a process: its log, its errors as one line, and its exit code. `tallyd run` and the local cluster
both end here.

Standard error carries the log, in the form the settings ask for. What keeps a node from starting or going on is one
line `tallyd: <what, where, expected>` at the end of it, and the exit code of the error's class (0 after a clean
stop).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any, TextIO, cast

# gRPC's own words on standard error would stand beside ours and say less; read when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo

from tallystick.core.errors import FAULT, ConfigInvalid, TallystickError
from tallystick.core.safe_text import sanitise, sanitise_json
from tallystick.sdk.passphrase import Passphrase
from tallystick.sdk.secret_file import OF_OTHERS, check_folder
from tallystick_node.config import Log, Settings
from tallystick_node.console import exit_on_signal, say

ANSWERS = b"."
RECORDS = b"+"


def run(
    path: Path, passphrase: Passphrase | None = None, *, lifeline: int | None = None, ready: int | None = None
) -> int:
    """Run the node of a settings file until it is told to stop; returns the exit code.

    `lifeline` is a pipe's reading end (`server.run`); on `ready`, a pipe's writing end, one byte says that the node
    answers, and a second that it records.
    """
    signal.signal(signal.SIGTERM, exit_on_signal)

    def told(records: bool) -> None:
        if ready is None:
            return
        with suppress(BrokenPipeError):  # whoever started it may not wait for the second
            os.write(ready, RECORDS if records else ANSWERS)
        if records:
            os.close(ready)

    try:
        settings = Settings.load(path, passphrase)
        if not settings.config.charter_digest:
            raise ConfigInvalid(
                "it names no charter yet",
                where=str(path),
                expected="tallyd init DIR --charter FILE --charter-digest DIGEST, first",
            )
        check_folder(settings.database.parent, OF_OTHERS)
        configure_log(settings.config.log)
        from tallystick_node import server  # here, so that a wrong setting is told without waiting for gRPC

        server.run(settings, told, lifeline)
        return 0
    except TallystickError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:  # a bug: still one line, and the log has where
        structlog.get_logger().debug("internal error", exc_info=True)
        say(f"an internal error: {type(error).__name__}: {error}")
        return FAULT


class LossyStream:
    """Standard error for the log: a full disk or a closed pipe loses lines, and must not lose submissions."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def _safe_json(event: object, **how: Any) -> str:
    return sanitise_json(json.dumps(event, **how))


def _safe_values(_: object, __: str, event: EventDict) -> EventDict:
    """Others' text in a line of the log acts on no terminal, and is no second line."""

    def safe(said: object) -> object:
        return said if said is None or isinstance(said, (bool, int, float)) else sanitise(_text(said))

    return {name: said if name == "exc_info" else safe(said) for name, said in event.items()}


def _text(said: object) -> str:
    return said if isinstance(said, str) else repr(said)


def _safe_traceback(stream: TextIO, what: ExcInfo) -> None:
    """Set in, so that no line of it can pass for one of the log's."""
    plain = StringIO()
    structlog.dev.plain_traceback(plain, what)
    stream.write("\n".join(f"  {sanitise(line)}" for line in plain.getvalue().rstrip("\n").split("\n")))


def configure_log(log: Log) -> None:
    """Send structlog's events to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor]
    if log.form == "json":
        # Without the values of variables: among them is what people must not read, the values behind commitments.
        traceback = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last = [traceback, structlog.processors.JSONRenderer(_safe_json, ensure_ascii=False)]
    else:
        colours = sys.stderr.isatty()
        last = [_safe_values, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_safe_traceback)]
    levels = {"debug": 10, "info": 20, "warning": 30, "error": 40}
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(levels[log.level]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LossyStream())),
        cache_logger_on_first_use=True,
    )
