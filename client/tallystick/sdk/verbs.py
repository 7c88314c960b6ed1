"""One method a statement kind, derived by `scripts/proto` from `statement.proto`. Do not edit.

What each parameter takes is said in `tallystick.core.values`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from tallystick.core.compose import Sensitive
from tallystick_proto.v1 import statement_pb2 as pb

Said = TypeVar("Said")


class HasRef(Protocol):
    """Anything that can be cited, such as a receipt."""

    @property
    def ref(self) -> pb.Ref: ...


class HasVersion(Protocol):
    """Anything that speaks of one version, such as the receipt of its providing."""

    @property
    def version_ref(self) -> str: ...


class Verbs(ABC, Generic[Said]):
    """What can be said. `_say` decides what becomes of it: a receipt now, or one later."""

    @abstractmethod
    def _say(self, kind: str, values: dict[str, object]) -> Said: ...

    def declare(
        self,
        resource: str,
        *,
        scheme: str,
        title: str,
        sharing: str,
        public: bool | None = None,
        basis: pb.Basis | str | Mapping[str, object] | None = None,
        condition: pb.Basis | str | Mapping[str, object] | None = None,
        level: str | None = None,
        fields: Sequence[pb.Item | Mapping[str, object]] | None = None,
        update_cycle: str | None = None,
        steward: str | None = None,
        premises: Sequence[str] | None = None,
        methods: Sequence[str] | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ResourceDeclared, 编目: resource declared (dcat:CatalogRecord)."""
        return self._say(
            "ResourceDeclared",
            {
                "resource": resource,
                "scheme": scheme,
                "title": title,
                "sharing": sharing,
                "public": public,
                "basis": basis,
                "condition": condition,
                "level": level,
                "fields": fields,
                "update_cycle": update_cycle,
                "steward": steward,
                "premises": premises,
                "methods": methods,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def withdraw(
        self,
        resource: str,
        *,
        reason: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ResourceWithdrawn, 撤销编目: resource withdrawn (prov:Invalidation)."""
        return self._say(
            "ResourceWithdrawn",
            {
                "resource": resource,
                "reason": reason,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def provide_version(
        self,
        version: str | HasVersion,
        *,
        digest: pb.Digest | str | Mapping[str, object],
        derived_from: Sequence[str | HasVersion] | None = None,
        system: str | None = None,
        size: int | None = None,
        rows: int | None = None,
        quality: pb.Quality | Mapping[str, object] | None = None,
        desensitised: pb.Desensitised | Mapping[str, object] | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """VersionProvided, 提供版本: version provided (prov:Generation)."""
        return self._say(
            "VersionProvided",
            {
                "version": version,
                "digest": digest,
                "derived_from": derived_from,
                "system": system,
                "size": size,
                "rows": rows,
                "quality": quality,
                "desensitised": desensitised,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def recall(
        self,
        version: str | HasVersion,
        *,
        reason: str,
        fields: Sequence[str] | None = None,
        scope: str | None = None,
        replaced_by: str | HasVersion | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """VersionRecalled, 撤回版本: version recalled (prov:Invalidation, GB/T 39477)."""
        return self._say(
            "VersionRecalled",
            {
                "version": version,
                "reason": reason,
                "fields": fields,
                "scope": scope,
                "replaced_by": replaced_by,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def request(
        self,
        resource: str,
        *,
        provider: str,
        purpose: str,
        system: str | None = None,
        matter: str | None = None,
        fields: Sequence[str] | None = None,
        basis: pb.Basis | str | Mapping[str, object] | None = None,
        until: date | str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """AccessRequested, 共享申请: access requested (dsp:ContractRequest)."""
        return self._say(
            "AccessRequested",
            {
                "resource": resource,
                "provider": provider,
                "purpose": purpose,
                "system": system,
                "matter": matter,
                "fields": fields,
                "basis": basis,
                "until": until,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def grant(
        self,
        request: pb.Ref | HasRef | Mapping[str, object],
        *,
        to: str,
        resource: str,
        system: str | None = None,
        matter: str | None = None,
        fields: Sequence[str] | None = None,
        conditions: Sequence[str] | None = None,
        until: date | str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """AccessGranted, 同意共享: access granted (dsp:Agreement)."""
        return self._say(
            "AccessGranted",
            {
                "request": request,
                "to": to,
                "resource": resource,
                "system": system,
                "matter": matter,
                "fields": fields,
                "conditions": conditions,
                "until": until,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def deny(
        self,
        request: pb.Ref | HasRef | Mapping[str, object],
        *,
        to: str | None = None,
        resource: str | None = None,
        system: str | None = None,
        matter: str | None = None,
        reason: str | None = None,
        basis: pb.Basis | str | Mapping[str, object] | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """AccessDenied, 不同意共享: access denied (dsp:Termination)."""
        return self._say(
            "AccessDenied",
            {
                "request": request,
                "to": to,
                "resource": resource,
                "system": system,
                "matter": matter,
                "reason": reason,
                "basis": basis,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def end(
        self,
        grant: pb.Ref | HasRef | Mapping[str, object],
        *,
        how: str,
        with_bureau: str | None = None,
        resource: str | None = None,
        system: str | None = None,
        matter: str | None = None,
        reason: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """AccessEnded, 终止共享: access ended (dsp:Termination)."""
        return self._say(
            "AccessEnded",
            {
                "grant": grant,
                "how": how,
                "with_bureau": with_bureau,
                "resource": resource,
                "system": system,
                "matter": matter,
                "reason": reason,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def send(
        self,
        exchange: bytes | UUID | str,
        *,
        to: str,
        version: str | HasVersion | None = None,
        resource: str | None = None,
        grant: pb.Ref | HasRef | Mapping[str, object] | None = None,
        system: str | None = None,
        matter: str | None = None,
        digest: pb.Digest | str | Mapping[str, object] | None = None,
        via: str | None = None,
        service: str | None = None,
        request_size: int | None = None,
        size: int | None = None,
        last_received: pb.Ref | HasRef | Mapping[str, object] | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DataSent, 数据发送: data sent (dsp:TransferProcess)."""
        return self._say(
            "DataSent",
            {
                "exchange": exchange,
                "to": to,
                "version": version,
                "resource": resource,
                "grant": grant,
                "system": system,
                "matter": matter,
                "digest": digest,
                "via": via,
                "service": service,
                "request_size": request_size,
                "size": size,
                "last_received": last_received,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def receive(
        self,
        exchange: bytes | UUID | str,
        *,
        sender: str,
        version: str | HasVersion | None = None,
        resource: str | None = None,
        sent: pb.Ref | HasRef | Mapping[str, object] | None = None,
        system: str | None = None,
        matter: str | None = None,
        digest: pb.Digest | str | Mapping[str, object] | None = None,
        service: str | None = None,
        request_size: int | None = None,
        size: int | None = None,
        grant: pb.Ref | HasRef | Mapping[str, object] | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DataReceived, 数据接收: data received (gaia-x receipt)."""
        return self._say(
            "DataReceived",
            {
                "exchange": exchange,
                "sender": sender,
                "version": version,
                "resource": resource,
                "sent": sent,
                "system": system,
                "matter": matter,
                "digest": digest,
                "service": service,
                "request_size": request_size,
                "size": size,
                "grant": grant,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def fail(
        self,
        exchange: bytes | UUID | str,
        *,
        side: str,
        reason: str,
        other: str | None = None,
        version: str | HasVersion | None = None,
        resource: str | None = None,
        half: pb.Ref | HasRef | Mapping[str, object] | None = None,
        system: str | None = None,
        matter: str | None = None,
        words: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ExchangeFailed, 交换失败: exchange failed (dsp:Suspension)."""
        return self._say(
            "ExchangeFailed",
            {
                "exchange": exchange,
                "side": side,
                "reason": reason,
                "other": other,
                "version": version,
                "resource": resource,
                "half": half,
                "system": system,
                "matter": matter,
                "words": words,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def use(
        self,
        version: str | HasVersion | None = None,
        *,
        purpose: str,
        resource: str | None = None,
        case: bytes | UUID | str | None = None,
        system: str | None = None,
        matter: str | None = None,
        provider: str | None = None,
        grant: pb.Ref | HasRef | Mapping[str, object] | None = None,
        subject: Sensitive | None = None,
        fields: Sequence[str] | None = None,
        rows: int | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DataUsed, 数据使用: data used (prov:Usage)."""
        return self._say(
            "DataUsed",
            {
                "version": version,
                "purpose": purpose,
                "resource": resource,
                "case": case,
                "system": system,
                "matter": matter,
                "provider": provider,
                "grant": grant,
                "subject": subject,
                "fields": fields,
                "rows": rows,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def raise_concern(
        self,
        to: str,
        *,
        sort: str,
        about: pb.Ref | HasRef | Mapping[str, object] | None = None,
        resource: str | None = None,
        version: str | HasVersion | None = None,
        exchange: bytes | UUID | str | None = None,
        system: str | None = None,
        matter: str | None = None,
        reason: str | None = None,
        words: str | None = None,
        finding: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ConcernRaised, 疑义: concern raised (dqv:UserQualityFeedback)."""
        return self._say(
            "ConcernRaised",
            {
                "to": to,
                "sort": sort,
                "about": about,
                "resource": resource,
                "version": version,
                "exchange": exchange,
                "system": system,
                "matter": matter,
                "reason": reason,
                "words": words,
                "finding": finding,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def answer(
        self,
        concern: pb.Ref | HasRef | Mapping[str, object] | None = None,
        *,
        outcome: str,
        to: str | None = None,
        resource: str | None = None,
        corrected: str | HasVersion | None = None,
        exchange: bytes | UUID | str | None = None,
        system: str | None = None,
        matter: str | None = None,
        words: str | None = None,
        finding: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ConcernAnswered, 答复: concern answered (prov:Activity)."""
        return self._say(
            "ConcernAnswered",
            {
                "concern": concern,
                "outcome": outcome,
                "to": to,
                "resource": resource,
                "corrected": corrected,
                "exchange": exchange,
                "system": system,
                "matter": matter,
                "words": words,
                "finding": finding,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def acknowledge(
        self,
        notice: pb.Ref | HasRef | Mapping[str, object],
        *,
        action: str,
        to: str | None = None,
        resource: str | None = None,
        version: str | HasVersion | None = None,
        system: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """NoticeAcknowledged, 签收: notice acknowledged (receipt of service)."""
        return self._say(
            "NoticeAcknowledged",
            {
                "notice": notice,
                "action": action,
                "to": to,
                "resource": resource,
                "version": version,
                "system": system,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def assign_duty(
        self,
        holder: str,
        *,
        duty: str,
        resource: str | None = None,
        system: str | None = None,
        matter: str | None = None,
        succeeds: pb.Ref | HasRef | Mapping[str, object] | None = None,
        unit: str | None = None,
        person: Sensitive | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DutyAssigned, 责任指定: duty assigned (prov:qualifiedAttribution)."""
        return self._say(
            "DutyAssigned",
            {
                "holder": holder,
                "duty": duty,
                "resource": resource,
                "system": system,
                "matter": matter,
                "succeeds": succeeds,
                "unit": unit,
                "person": person,
                "since": since,
                "until": until,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def answer_duty(
        self,
        assignment: pb.Ref | HasRef | Mapping[str, object],
        *,
        answer: str,
        to: str | None = None,
        resource: str | None = None,
        system: str | None = None,
        matter: str | None = None,
        reason: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DutyAnswered, 责任认领: duty answered (prov:Delegation)."""
        return self._say(
            "DutyAnswered",
            {
                "assignment": assignment,
                "answer": answer,
                "to": to,
                "resource": resource,
                "system": system,
                "matter": matter,
                "reason": reason,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def release_duty(
        self,
        duty: pb.Ref | HasRef | Mapping[str, object],
        *,
        to: str | None = None,
        resource: str | None = None,
        system: str | None = None,
        matter: str | None = None,
        reason: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DutyReleased, 责任卸任: duty released (prov:Invalidation)."""
        return self._say(
            "DutyReleased",
            {
                "duty": duty,
                "to": to,
                "resource": resource,
                "system": system,
                "matter": matter,
                "reason": reason,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def register_system(
        self,
        system: str,
        *,
        name: str,
        project: str | None = None,
        approved_on: date | str | None = None,
        accepted_on: date | str | None = None,
        operator: str | None = None,
        replaces: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """SystemRegistered, 系统登记: system registered (prov:SoftwareAgent)."""
        return self._say(
            "SystemRegistered",
            {
                "system": system,
                "name": name,
                "project": project,
                "approved_on": approved_on,
                "accepted_on": accepted_on,
                "operator": operator,
                "replaces": replaces,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def report_system_use(
        self,
        system: str,
        *,
        since: date | str,
        until: date | str,
        users: int | None = None,
        operations: int | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """SystemUsed, 系统使用: system used (health data)."""
        return self._say(
            "SystemUsed",
            {
                "system": system,
                "since": since,
                "until": until,
                "users": users,
                "operations": operations,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def retire_system(
        self,
        system: str,
        *,
        replaced_by: str | None = None,
        reason: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """SystemRetired, 系统下线: system retired (prov:Invalidation)."""
        return self._say(
            "SystemRetired",
            {
                "system": system,
                "replaced_by": replaced_by,
                "reason": reason,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def register_actor(
        self,
        system: str | None = None,
        *,
        registered: str,
        key: bytes,
        role: str,
        possession: bytes,
        name: Sensitive | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ActorRegistered, 主体登记: actor registered (trust anchor)."""
        return self._say(
            "ActorRegistered",
            {
                "system": system,
                "registered": registered,
                "key": key,
                "role": role,
                "possession": possession,
                "name": name,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def revoke_actor(
        self,
        registration: pb.Ref | HasRef | Mapping[str, object] | None = None,
        *,
        revoked: str,
        key: bytes,
        compromised_since: datetime | int | None = None,
        reason: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """ActorRevoked, 主体注销: actor revoked (trust anchor)."""
        return self._say(
            "ActorRevoked",
            {
                "registration": registration,
                "revoked": revoked,
                "key": key,
                "compromised_since": compromised_since,
                "reason": reason,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def adopt_charter(
        self,
        *,
        version: int,
        digest: bytes,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """CharterAdopted, 采用章程: charter adopted (SCITT registration policy)."""
        return self._say(
            "CharterAdopted",
            {
                "version": version,
                "digest": digest,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def note_witnessed(
        self,
        *,
        note: str,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """CheckpointWitnessed, 封账见证: checkpoint witnessed (receipt)."""
        return self._say(
            "CheckpointWitnessed",
            {
                "note": note,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def report_equivocation(
        self,
        accused: str | None = None,
        *,
        digest: bytes,
        evidence: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """EquivocationFound, 发现两套账: equivocation found (non-equivocation)."""
        return self._say(
            "EquivocationFound",
            {
                "accused": accused,
                "digest": digest,
                "evidence": evidence,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def report_recovery(
        self,
        *,
        root: bytes,
        copies: Sequence[pb.RecoveryPerformed.Copy | Mapping[str, object]] | None = None,
        size: int | None = None,
        lost_above: int | None = None,
        words: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """RecoveryPerformed, 恢复: recovery performed (disaster recovery)."""
        return self._say(
            "RecoveryPerformed",
            {
                "root": root,
                "copies": copies,
                "size": size,
                "lost_above": lost_above,
                "words": words,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def note_shown(
        self,
        *,
        shown: Sequence[pb.RecordsShown.Shown | Mapping[str, object]],
        found: Sensitive | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """RecordsShown, 查阅留痕: records shown (prov:Usage)."""
        return self._say(
            "RecordsShown",
            {
                "shown": shown,
                "found": found,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )

    def erase(
        self,
        entry: pb.Ref | HasRef | Mapping[str, object],
        *,
        field_path: str,
        reason: str,
        basis: pb.Basis | str | Mapping[str, object] | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[pb.Document | Mapping[str, object]] | None = None,
        source: str | None = None,
    ) -> Said:
        """DisclosureErased, 披露销毁: disclosure erased (prov:Invalidation)."""
        return self._say(
            "DisclosureErased",
            {
                "entry": entry,
                "field_path": field_path,
                "reason": reason,
                "basis": basis,
                "case": case,
                "officer": officer,
                "happened_at": happened_at,
                "documents": documents,
                "source": source,
            },
        )
