"""Style as a test: the house rules that no linter knows.

Files are those at the top and in the folders named here, never what a build or a cache left beside them. Generated
stubs (`*_pb2*`) answer only for who imports them. Imports are read from the syntax tree, so one inside a function
counts too, and so does one that is only there for types.
"""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (".ci", "client", "docs", "node", "proto", "scripts", "tests", "typings")
PACKAGES = {"tallystick_proto": "proto", "tallystick": "client", "tallystick_node": "node"}
LINES_MAX = 350
TEST_LINES_MAX = 500

# Joined here so that this file does not hold what it looks for.
UNWANTED = ("/wo" + "rk/", "TO" + "DO", "FIX" + "ME")

# core gets its time, its randomness and its bytes as arguments. What it may not import, import-linter's contract says.
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
CORE_MAY_NOT_IMPORT = frozenset(next(each["forbidden_modules"] for each in CONTRACTS if each["id"] == "pure-core"))
CORE_MAY_NOT_CALL = frozenset({"__import__", "breakpoint", "eval", "exec", "input", "open", "print"})
CORE_MAY_NOT_CALL_METHOD = frozenset({"now", "today", "utcnow"})

CORE = ("tallystick.core",)
STUB_USERS = (
    "tallystick.sdk.wire",
    "tallystick_node.server",
    "tallystick_node.services",
    "tallystick_node.peers",
    "tallystick_node.operating",
)
DATABASE_USERS = ("tallystick_node.store",)
PRINTERS = ("tallystick.cli", "tallystick_node.cli")


def _files() -> Iterator[Path]:
    # In a second worktree `.git` is a file too, and not one of ours.
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".so"):
                yield path


def _is_generated(path: Path) -> bool:
    return re.search(r"_pb2(_grpc)?\.pyi?$", path.name) is not None


def _is_written(path: Path) -> bool:
    """Whether a person wrote it. What `scripts/proto` made says so in its first line, and may be of any length."""
    return "Do not edit." not in path.read_text().partition("\n")[0]


def _is_python(path: Path) -> bool:
    if path.suffix:
        return path.suffix == ".py"
    return path.parent.name == "scripts" and "python" in path.read_text().partition("\n")[0]


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


FILES = sorted(path for path in _files() if not _is_generated(path))
PYTHON = [path for path in FILES if _is_python(path)]
each_python_file = pytest.mark.parametrize("path", PYTHON, ids=_shown)
each_written_file = pytest.mark.parametrize("path", [path for path in PYTHON if _is_written(path)], ids=_shown)


@lru_cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), path.name)


def _module(path: Path) -> str:
    """The dotted name a file is imported by, or "" outside the packages."""
    for package, folder in PACKAGES.items():
        if path.is_relative_to(ROOT / folder / package):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return ""


MODULES = [(name, path) for path in PYTHON if (name := _module(path))]


def _imports(tree: ast.Module) -> Iterator[str]:
    """Every dotted name imported: `from a import b` yields both `a` and `a.b`, since either can be the module meant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _inside(*rooms: str) -> list[tuple[str, Path]]:
    return [(module, path) for module, path in MODULES if _is_within(module, rooms)]


def _outside(*rooms: str) -> list[tuple[str, Path]]:
    return [(module, path) for module, path in MODULES if not _is_within(module, rooms)]


def _importing(modules: list[tuple[str, Path]], is_wanted: Callable[[str], bool]) -> list[str]:
    return [f"{module} imports {name}" for module, path in modules for name in _imports(_tree(path)) if is_wanted(name)]


def _calling(modules: list[tuple[str, Path]], names: frozenset[str], methods: frozenset[str]) -> list[str]:
    found = []
    for module, path in modules:
        for node in ast.walk(_tree(path)):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in names:
                    found.append(f"{module}, line {node.lineno} calls {name}")
                case ast.Call(func=ast.Attribute(attr=name)) if name in methods:
                    found.append(f"{module}, line {node.lineno} calls {name}")
    return found


def _is_service_stub(name: str) -> bool:
    return re.match(r"tallystick_proto\..*_pb2_grpc$", name) is not None


@each_python_file
def test_every_module_says_what_it_is(path: Path) -> None:
    """Every Python file that is not generated begins with a docstring."""
    assert (ast.get_docstring(_tree(path)) or "").strip(), f"{_shown(path)} has no module docstring"


@each_written_file
def test_one_idea_a_file(path: Path) -> None:
    """No Python file is longer than can be read in one sitting."""
    most = TEST_LINES_MAX if path.is_relative_to(ROOT / "tests") else LINES_MAX
    lines = len(path.read_text().splitlines())
    assert lines <= most, f"{_shown(path)} has {lines} lines, at most {most} are allowed"


def test_what_tests_share_stands_in_the_harness() -> None:
    """No file of tests is imported by another."""
    tests = [(_shown(path), path) for path in PYTHON if path.is_relative_to(ROOT / "tests")]
    assert not _importing(tests, lambda name: re.match(r"tests\..*\btest_\w+$", name) is not None)


def test_only_commands_print() -> None:
    """Nothing in the packages calls `print` but the command lines."""
    assert not _calling(_outside(*PRINTERS), frozenset({"print"}), frozenset())


@pytest.mark.parametrize("words", UNWANTED)
def test_nothing_is_left_lying_about(words: str) -> None:
    """No file holds a path of one machine, or a note to do later what should be done now."""
    found = []
    for path in FILES:
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue  # a binary vector; no sentence stands in it
        found += [f"{_shown(path)}:{number}" for number, line in enumerate(lines, 1) if words in line]
    assert not found


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.parent.name in ("scripts", ".ci") and not path.suffix],
    ids=_shown,
)
def test_every_script_can_be_run(path: Path) -> None:
    """Every script is executable and says by what it is run."""
    assert path.read_bytes().startswith(b"#!/usr/bin/env "), f"{_shown(path)} has no shebang"
    assert os.access(path, os.X_OK), f"{_shown(path)} is not executable"


def test_core_is_pure() -> None:
    """Nothing in core imports or calls what does I/O, waits, tells the time or guesses."""
    assert not _importing(_inside(*CORE), lambda name: name.partition(".")[0] in CORE_MAY_NOT_IMPORT)
    assert not _calling(_inside(*CORE), CORE_MAY_NOT_CALL, CORE_MAY_NOT_CALL_METHOD)


def test_service_stubs_stay_at_the_edges() -> None:
    """Only the client's wire, and the node's server, services and peers, know that there is gRPC between them."""
    assert not _importing(_outside(*STUB_USERS), _is_service_stub)


def test_only_the_store_knows_its_database() -> None:
    """LevelDB is known in one room."""
    assert not _importing(_outside(*DATABASE_USERS), lambda name: name.partition(".")[0] == "plyvel")
