"""Help, completion, and what a command line that is wrong gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tallystick.cli.main import SECTIONS, tally
from tests.cli.conftest import Tally

HELP = """\
Begin         status  inbox
Catalogue     declare  withdraw  provide  recall
Share         request  grant  deny  end
Exchange      send  receive  use  failed
Answer        acknowledge  ask  dispute  incident  answer
Duties        duty assign | accept | decline | release
Systems       system register | used | retire
Ask           who  trace  access  impact  case  owed  catalogue  systems  lookups  shown  log  show
Judge         audit  reconcile  report
Prove         prove  verify
Bring in      import dcat | xroad | systems
Trust         charter show | verify | propose | key | sign | adopt  identity init | register | revoke | show | renew
Secrets       key show | encrypt | change | reseal  erase
Shell         completion

Every answer was verified before it was shown and ends with what it does not cover.
"""
HEAVY = ("grpc", "google.protobuf", "rich", "cryptography")
ASK = f"""
import sys
from tallystick.cli.main import main
code = main(sys.argv[1:])
print(code, *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def commands() -> list[tuple[str, ...]]:
    """Every command, with the group it stands in."""
    found: list[tuple[str, ...]] = []
    context = click.Context(tally)
    for name in tally.list_commands(context):
        command = tally.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.list_commands(click.Context(command))]
        else:
            found.append((name,))
    return found


def command_at(path: tuple[str, ...]) -> click.Command:
    command: click.Command | None = tally
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return command


each_command = pytest.mark.parametrize("path", commands(), ids=" ".join)


def test_help_lists_the_commands_by_section(tally: Tally) -> None:
    """The last lines of the help are the sections, and what every answer ends with."""
    said = tally("--help")
    assert said.code == 0
    assert said.out.endswith(HELP)


def test_help_names_every_command_that_there_is() -> None:
    """What help lists under a group is what the group has."""
    listed = {
        (lazy.name, inner) if inner else (lazy.name,)
        for _, section in SECTIONS
        for lazy in section
        for inner in (lazy.inner.split(" | ") if lazy.inner else [""])
    }
    assert listed == set(commands())


@each_command
def test_every_command_says_what_it_does_with_an_example(tally: Tally, path: tuple[str, ...]) -> None:
    """A command's help has a sentence, the three options of all, and an example that begins with its name."""
    said = tally(*path, "--help")
    assert said.code == 0
    assert "Example" in said.out
    assert f"    tally {' '.join(path)} " in said.out
    for option in ("--profile", "--json", "--lang"):
        assert option in said.out


@each_command
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    """No option stands in the help without a word."""
    assert [p.name for p in command_at(path).params if isinstance(p, click.Option) and not p.help] == []


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["log", "--help"], {}),
        (["import", "dcat", "--help"], {}),
        (["identity", "register", "--help"], {}),
        (["completion", "bash"], {}),
        ([], {"_TALLY_COMPLETE": "bash_complete", "COMP_WORDS": "tally ", "COMP_CWORD": "1"}),
        ([], {"_TALLY_COMPLETE": "bash_complete", "COMP_WORDS": "tally log --", "COMP_CWORD": "2"}),
    ],
    ids=str,
)
def test_help_and_completion_import_nothing_heavy(arguments: list[str], environment: dict[str, str]) -> None:
    """Neither help nor completion loads gRPC, protobuf, rich or cryptography."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "0\n"
    assert done.stdout


def test_completion_knows_the_bureaus_of_the_profile(tmp_path: Path) -> None:
    """`tally log <TAB>` offers the bureaus of the charter that the profile names, no observer, and nothing that a shell
    would take for more than a name."""
    ids = ('"taxation"', '"planning"', '"tax$(reboot)"', '"tax\\n`reboot`"', "7")
    (tmp_path / "charter.note").write_text(
        "# tallystick/charter/v1\n"
        + "".join(f'[[bureau]]\nid = {id_}\nledger_key = "…"\n' for id_ in ids)
        + '[[bureau]]\nid = "tax-watch"\n\n— key AAAA\n'
    )
    (tmp_path / "profile.toml").write_text('charter = "charter.note"\n')
    environment = {"_TALLY_COMPLETE": "bash_complete", "COMP_WORDS": "tally log ta", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.cli.main"],
        env={**os.environ, **environment, "TALLYSTICK_PROFILE": str(tmp_path / "profile.toml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,taxation\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(tally: Tally, shell: str) -> None:
    """The script calls `tally` back."""
    said = tally("completion", shell)
    assert said.code == 0
    assert "_TALLY_COMPLETE" in said.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["statsu"],
        ["--nope"],
        ["log", "--nope"],
        ["log", "-n", "x"],
        ["log", "-n", "-1"],
        ["log", "a", "b"],
        ["log", "a", "--all-bureaus"],
        ["log", "--follow", "--until", "2027-01-01"],
        ["show"],
        *(["show", wrong] for wrong in ("junk", "market-regulation#", "#4", "x#-1", "x#01", "x#1#2", "X#1")),
        ["prove", "junk", "-o", "f"],
        ["log", "--about", "junk"],
        ["shown", "junk#"],
        ["acknowledge", "junk", "--action", "noted"],
        ["ask", "F-1", "--words", "what?"],
        ["duty", "accept", "junk"],
        ["erase", "junk", "subject", "--reason", "none"],
        ["use", "A", "--purpose", "p", "--grant", "junk"],
        ["trace", "junk"],
        ["impact", "junk"],
        ["prove", "a#1"],
        ["declare"],
        ["declare", "A", "--title", "x", "--scheme", "s", "--sharing", "perhaps"],
        ["provide", "A"],
        ["provide", "A", "f", "--rows", "-1"],
        ["provide", "A", "f", "--desensitised-field", "name"],
        ["request", "A", "--provider", "taxation"],
        ["grant"],
        ["end", "a#1", "--how", "quietly"],
        ["send", "A@1"],
        ["receive", "x"],
        ["receive", "x", "f", "--size", "1"],
        ["use", "A", "--purpose", "p", "--rows", "-1"],
        ["use", "A", "--purpose", "p", "--subject", "310115"],
        ["answer", "a#1"],
        ["ask"],
        ["dispute", "a#1", "--sort", "incident"],
        ["duty", "assign", "a"],
        ["duty", "accept", "a#1", "--answer", "declined"],
        ["system", "used", "A", "--since", "2027-01-01"],
        ["import", "xml", "f"],
        ["charter", "show", "--lang", "fr"],
        ["charter", "adopt"],
        ["charter", "propose", "edits.toml"],
        ["charter", "sign", "next.toml", "-o", "next.note"],
        ["identity", "init"],
        ["completion", "tcsh"],
        ["log", "\udcff"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_gets_one_line_and_exit_code_2(tally: Tally, arguments: list[str]) -> None:
    """What is wrong with it, and where help is; nothing on standard output."""
    said = tally(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("tally: ")
    assert "--help)" in said.err


def test_a_command_that_is_nearly_right_is_guessed(tally: Tally) -> None:
    """A slip of the fingers is answered with what was probably meant."""
    assert "did you mean 'status'?" in tally("statsu").err


@pytest.mark.parametrize("group", [(), ("import",), ("charter",), ("identity",), ("duty",), ("system",)], ids=str)
def test_a_group_alone_shows_its_help(tally: Tally, group: tuple[str, ...]) -> None:
    """A group that is called without a command says what it has, and exits as wrong usage does."""
    said = tally(*group)
    assert said.code == 2
    assert "Usage: tally" in said.err


def test_no_profile_is_wrong_usage(tally: Tally, tmp_path: Path) -> None:
    """Without a profile a command says which file it looked for."""
    said = tally("status", profile=tmp_path / "none.toml")
    assert said.code == 2
    assert "none.toml" in said.err
    assert len(said.err.splitlines()) == 1
