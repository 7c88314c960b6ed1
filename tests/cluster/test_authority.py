"""One authority takes another's place, by two versions of the charter, while nodes and clients go on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import tomli_w

from tallystick.core.errors import ConfigInvalid, Unreachable
from tallystick.core.holder import NODE_NAME, Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.clock import now_us
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.profile import Profile
from tallystick.sdk.wire import Wire
from tallystick_node.adoption import adopt_version
from tallystick_node.authority import certified_files
from tallystick_node.cluster.local import LocalCluster
from tests.harness.charters import adopt_at_clients, adopt_at_nodes, signed_next

MARKET, TAXATION = "market-regulation", "taxation"


def pinning(cluster: LocalCluster, pem: str, name: str) -> Path:
    """The next version, in which taxation has these authorities."""
    edits = {"bureau": [{"id": TAXATION, "certificate_authority": pem}]}
    return signed_next(cluster, tomli_w.dumps(edits), name)


def ask(profile: Path, bureau: str, credentials: Credentials | None = None) -> None:
    """A call of whoever a profile is of, or shows these instead, to a bureau's node."""
    opened = Profile.load(profile)
    node = opened.charter.by_id(bureau)
    with closing(Wire(node, credentials=credentials or opened.credentials)) as wire:
        wire.checkpoint(0)


def test_one_authority_takes_anothers_place(cluster: LocalCluster) -> None:
    """While both are pinned, what either issued is accepted; once the new one is alone, what the old one issued is not,
    and a node that still has that goes by no such version.
    """
    market, taxation = cluster[MARKET], cluster[TAXATION]
    everybody = [*(cluster.folder / "profiles").glob("*.toml")]
    before = taxation.bureau.certificate_authority
    new = CertificateAuthority.make(TAXATION, now_us())
    renewed = CertifiedFiles(cluster.folder / "new.crt", cluster.folder / "new.key")
    renewed.renew(new, Holder(TAXATION, "clerk"), now_us())
    with pytest.raises(Unreachable):
        ask(taxation.profile, MARKET, Credentials(renewed))

    both = pinning(cluster, before + new.pem, "both.note")
    adopt_at_nodes(cluster, both)
    adopt_at_clients(everybody, both)
    ask(taxation.profile, MARKET)  # under what the old one issued
    ask(taxation.profile, MARKET, Credentials(renewed))
    ask(market.profile, TAXATION)

    alone = pinning(cluster, new.pem, "alone.note")
    taxation.stop()
    with pytest.raises(ConfigInvalid, match="no authority pinned for it issued it"):
        adopt_version(taxation.settings, alone, now_us())
    certified_files(taxation.home, NODE_NAME).renew(new, Holder(TAXATION, NODE_NAME), now_us())
    adopt_at_nodes(cluster, alone)
    adopt_at_clients(everybody, alone)
    ask(market.profile, TAXATION)
    ask(taxation.profile, MARKET, Credentials(renewed))
    with pytest.raises(Unreachable):
        ask(taxation.profile, MARKET)
    certified_files(taxation.home, "clerk").renew(new, Holder(TAXATION, "clerk"), now_us())
    assert taxation.sdk.declare("SW-1", scheme="pudong", title="again", sharing="unconditional").index > 0
