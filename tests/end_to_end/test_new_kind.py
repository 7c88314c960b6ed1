"""A new statement kind is one message and one line of `said`; nothing else is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

MESSAGE = """
message PremisesInspected {
  option (kind) = {
    zh: "场所检查" en: "premises inspected" term: "prov:Activity" section: "systems" verb: "inspect" role: [OFFICER]
    head: [{field: "counterparty" name: "host" zh: "受检单位" required: true}, {field: "matter"}]
  };
  enum Result {
    RESULT_UNSPECIFIED = 0;
    IN_ORDER = 1 [(value) = {zh: "合格"}];
    WANTING = 2 [(value) = {zh: "不合格"}];
  }
  Result result = 1 [(field) = {zh: "结论" required: true}];
  string place = 2 [(field) = {zh: "地点" max_len: 100}];
  bytes inspector = 3 [(field) = {zh: "检查人" sensitive: true len: 32 shown_to: [OWN_OFFICER]}];
}
"""

SCRIPT = """
import subprocess, sys
from pathlib import Path
from tallystick import Sensitive, TallystickError
from tallystick.core.kinds import BY_NAME
from tallystick_node.cluster.local import LocalCluster

folder = Path(sys.argv[1])
with LocalCluster.up(folder, 2) as cluster:
    market = cluster["market-regulation"].sdk
    receipt = market.inspect("taxation", result="in_order", place="一号机房", inspector=Sensitive("李四"))
    for wrong in ({"result": "splendid"}, {}, {"place": "x" * 101}, {"resource": "A"}):
        try:
            market.record("inspect", host="taxation", **({"result": "wanting"} | wrong if wrong else {}))
        except TallystickError as error:
            print("refused:", error)
    number = BY_NAME["PremisesInspected"].number
    found = list(market.find([(1, str(number).encode()), (6, b"taxation")]))
    print("found:", [shown.reference for shown in found])
    run = lambda *words: subprocess.run(
        [sys.executable, "-m", "tallystick.cli.main", "--profile", str(folder / "profiles" / "auditor.toml"), *words],
        capture_output=True, text=True, check=True,
    ).stdout
    print(run("log", "market-regulation", "--kind", "PremisesInspected"))
    print(run("show", receipt.reference))
    print(run("show", receipt.reference, "--lang", "zh"))
    assert cluster["market-regulation"].fsck().clean
"""


def test_a_new_kind_needs_no_change_outside_its_message(tmp_path: Path) -> None:
    """A kind added to a copy of the proto file is recorded, validated, indexed, listed, shown and documented."""
    for name in ("proto", "client", "node", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    proto = tmp_path / "proto/tallystick_proto/v1/statement.proto"
    text = proto.read_text(encoding="utf-8")
    line = "    DisclosureErased disclosure_erased = 77;\n"
    assert line in text
    proto.write_text(
        text.replace(line, line + "    PremisesInspected premises_inspected = 78;\n") + MESSAGE, encoding="utf-8"
    )

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(tmp_path / n) for n in ("proto", "client", "node"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"

    def run(*words: str | Path) -> str:
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout

    stubs = ["-Iproto", "--python_out=proto", "--mypy_out=quiet:proto", str(proto.relative_to(tmp_path))]
    run(sys.executable, "-m", "grpc_tools.protoc", *stubs)
    run(sys.executable, "scripts/verbs.py", "client/tallystick/sdk/verbs.py")
    run(sys.executable, "scripts/statements.py", "docs/statements.md")
    told = run(sys.executable, "-c", SCRIPT, tmp_path / "cluster")

    assert told.count("refused:") == 4
    assert "found: ['market-regulation#3']" in told
    for word in (
        "premises inspected",
        "host",
        "taxation",
        "in order",
        "一号机房",
        "场所检查",
        "受检单位",
        "合格",
        "地点",
    ):
        assert word in told, f"{word}\n{told}"
    assert "李四" not in told
    assert "PremisesInspected 78 · 场所检查" in (tmp_path / "docs/statements.md").read_text(encoding="utf-8")
