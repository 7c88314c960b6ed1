"""What the measurements record, and what it costs the node's process."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tallystick.core.compose import compose
from tallystick.core.submission import seal
from tallystick.sdk.clock import new_id
from tallystick.sdk.profile import Profile
from tallystick_node.cluster.member import Member
from tallystick_proto.v1.ledger_pb2 import SubmitRequest

BATCH = 1_000
ACTOR = "market-regulation:clerk"
TICKS = os.sysconf("SC_CLK_TCK")


def use(number: int) -> dict[str, object]:
    """The keywords of a typical statement: a look-up in a case, by an officer, for a purpose."""
    return {
        "version": f"SCJG-{number % 200:04d}@2026-10",
        "purpose": "tax-registration",
        "case": number.to_bytes(16, "big"),
        "officer": f"market-regulation:o-{number % 50:04x}",
        "system": "licence-desk",
        "rows": 1 + number % 7,
    }


def statements(count: int) -> list[bytes]:
    """Serialised statements, made beforehand."""
    return [compose("use", ACTOR, use(number)).encode() for number in range(count)]


def cpu_s(pid: int) -> float:
    """The processor time a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def sealed(member: Member, count: int) -> dict[str, float]:
    """Submissions made beforehand, sent over one stream."""
    profile = Profile.load(member.profile)
    key = profile.signing_key()
    data = statements(BATCH)
    requests = [
        SubmitRequest(submission=seal(member.bureau.origin, ACTOR, key, new_id(), data)) for _ in range(count // BATCH)
    ]
    assert member.running is not None
    server = cpu_s(member.running.pid)
    started = time.perf_counter()
    answers = list(member.sdk.wire.submit_many(requests))
    seconds = time.perf_counter() - started
    assert all(answer.HasField("receipt") for answer in answers)
    return {"per_s": count / seconds, "node_cpu_us": (cpu_s(member.running.pid) - server) / count * 1e6}
