"""What was erased of an entry is said with it: by which entry, and that it is the node's word."""

from __future__ import annotations

from pathlib import Path

from tallystick.core.compose import Sensitive
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally

TAX, MARKET = "taxation", "market-regulation"


def test_what_was_erased_is_said_with_the_entry(tally: Tally, shared_cluster: LocalCluster, tmp_path: Path) -> None:
    """Which field and by which entry, to whoever reads it; who asks for what opens it is told the same, once."""
    used = shared_cluster[TAX].gateway.use("K-ERASED@1", purpose="p", case="one", subject=Sensitive("a person"))
    at = {bureau: shared_cluster[bureau].profile for bureau in (TAX, MARKET)}
    assert tally("show", used.reference, "--json", profile=at[TAX]).json["erased"] == {}
    erased = tally("erase", used.reference, "subject", "--reason", "r", "--json", profile=at[TAX])
    by = erased.json["reference"]
    for profile in at.values():
        said = tally("show", used.reference, profile=profile)
        assert said.code == 0, said.err
        assert f"subject, erased\tas {by} says: its node's word\n" in said.out
    told = tally("show", used.reference, "--disclose", "--json", profile=at[TAX]).json
    assert (told["erased"], told["disclosed"]) == ({"subject": by}, {})
    assert "已销毁" in tally("show", used.reference, "--lang", "zh", profile=at[TAX]).out
    gone = f"{used.reference}: data_used.subject was erased, as #{by.rpartition('#')[2]} says; expected"
    for asks in (("show", used.reference), ("prove", used.reference, "-o", tmp_path / "none")):
        failed = tally(*asks, "--disclose", "subject", profile=at[TAX])
        assert failed.code == 4
        assert failed.err.startswith(f"tally: {gone}"), failed.err
    assert not (tmp_path / "none").exists()
