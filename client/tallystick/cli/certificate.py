"""Trust: `tally identity renew`, the certificate that this profile shows to nodes; what other commands say of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command
from tallystick.core.counted import counted
from tallystick.core.errors import ConfigInvalid, MalformedCertificate, NotAuthentic, TallystickError, Usage
from tallystick.sdk.arguments import FILE

if TYPE_CHECKING:
    from tallystick.core.certificate import Issued
    from tallystick.core.holder import Holder
    from tallystick.sdk.certificates import CertificateAuthority
    from tallystick.sdk.certified_key import CertifiedFiles
    from tallystick.sdk.profile import Profile

_DAYS = 90


@click.command(short_help="Renew the certificate shown to nodes.")
@click.option("--request", metavar="FILE", type=FILE, help="Write a request to be issued elsewhere; its key waits.")
@click.option("--certificate", metavar="FILE", type=FILE, help="Take up what was issued for the request.")
@click.option("--days", type=int, default=_DAYS, show_default=True, help="How long it lasts, where it is issued here.")
@command
def renew(session: Session, request: Path | None, certificate: Path | None, days: int) -> None:
    """Make a new key and certificate for the profile's connections, in the place of those that [tls] names.

    Where the authority's key lies beside them it issues the certificate at once. Else a request is written, which goes
    to whoever has that key (`tallyd cert issue`), and what comes back is taken up; until then the old one stays.

    \b
    Example:
      tally identity renew --request clerk.csr
      tally identity renew --certificate clerk.crt
    """
    from tallystick.sdk.certificates import read_pem
    from tallystick.sdk.clock import now_us
    from tallystick.sdk.files import write_whole

    if request is not None and certificate is not None:
        raise click.UsageError("--request comes first, and --certificate once it was issued")
    profile, output = session.profile, session.output
    files = _files(profile)
    holder = _holder(profile, files)
    if request is not None:
        write_whole(request, files.request(holder, session.passphrase))
        if output.json:
            output.document({"holder": holder.id, "request": str(request), "key_file": str(files.next_key)})
            return
        output.facts(
            [
                (output.say("holder", "持有者"), holder.id),
                (output.say("request", "证书申请"), str(request)),
                (output.say("key file", "私钥文件"), str(files.next_key)),
            ]
        )
        return
    if certificate is not None:
        made = files.install(
            read_pem(certificate), holder, now_us(), profile.charter, session.passphrase, str(certificate)
        )
    else:
        made = files.renew(
            _authority(session, files, holder), holder, now_us(), days, profile.charter, session.passphrase
        )
    if output.json:
        output.document({"certificate": _document(profile, made), "file": str(files.certificate)})
    else:
        output.facts([*_facts(session, made), (output.say("file", "文件"), str(files.certificate))])


def certificate_facts(session: Session) -> list[tuple[str, str]]:
    """What is shown to nodes and until when, as `tally identity show` lists it; nothing where nothing is shown."""
    match _shown(session):
        case None:
            return []
        case TallystickError() as error:
            return [(session.output.say("certificate", "证书"), str(error))]
        case certificate:
            return _facts(session, certificate)


def certificate_document(session: Session) -> dict[str, Any] | None:
    """The same for programs."""
    match _shown(session):
        case None:
            return None
        case TallystickError() as error:
            return {"trouble": str(error)}
        case certificate:
            return _document(session.profile, certificate)


def print_certificate(session: Session) -> None:
    """The same where no ledger is asked about. Raises ConfigInvalid where nothing is shown."""
    found, output = certificate_document(session), session.output
    if found is None:
        _files(session.profile)  # for what it raises
    elif output.json:
        output.document({"certificate": found})
    else:
        output.facts(certificate_facts(session))


def certificate_warning(session: Session) -> str:
    """A line for who should renew what is shown to nodes; empty where all is well, or nothing is shown."""
    from tallystick.sdk.clock import now_us

    found, say = _shown(session), session.output.say
    if found is None:
        return ""
    trouble = str(found) if isinstance(found, TallystickError) else _trouble(session.profile, found)
    if trouble is not None:
        return say(f"your certificate: {trouble}", f"本方证书：{trouble}")
    assert not isinstance(found, TallystickError)
    if not found.ends_soon(now_us()):
        return ""
    left = found.days_left(now_us())
    return say(
        f"your certificate ends in {counted(left, 'day')}: tally identity renew",
        f"本方证书尚余 {left} 天到期：tally identity renew",
    )


def _shown(session: Session) -> Issued | TallystickError | None:
    """What nodes are shown of this profile, or why there is nothing to show; None where it names nothing."""
    credentials = session.profile.credentials
    if credentials is None:
        return None
    try:
        return credentials.read().certificate
    except TallystickError as error:
        return error


def _facts(session: Session, certificate: Issued) -> list[tuple[str, str]]:
    from tallystick.core.moments import moment_text
    from tallystick.sdk.clock import now_us

    say = session.output.say
    left = certificate.days_left(now_us())
    ends = moment_text(certificate.ends_us, session.zone)
    trouble = _trouble(session.profile, certificate)
    return [
        (say("certificate", "证书"), certificate.holder.id + (f"; {trouble}" if trouble else "")),
        (say("fingerprint", "指纹"), certificate.fingerprint),
        (say("ends", "到期"), say(f"{ends}, in {counted(left, 'day')}", f"{ends}，尚余 {left} 天")),
    ]


def _document(profile: Profile, certificate: Issued) -> dict[str, Any]:
    from tallystick.core.moments import moment_json
    from tallystick.sdk.clock import now_us

    return {
        "holder": certificate.holder.id,
        "fingerprint": certificate.fingerprint,
        "ends": moment_json(certificate.ends_us),
        "renew": certificate.ends_soon(now_us()),
        "trouble": _trouble(profile, certificate),
    }


def _trouble(profile: Profile, certificate: Issued) -> str | None:
    """Why nodes that go by this profile's charter would not accept it."""
    from tallystick.core.certified import check_certified
    from tallystick.sdk.clock import now_us

    try:
        check_certified(profile.charter, certificate, now_us())
    except NotAuthentic as error:
        return error.what
    return None


def _files(profile: Profile) -> CertifiedFiles:
    if profile.credentials is None:
        raise ConfigInvalid(
            "it names no certificate",
            where=str(profile.path),
            expected="[tls] with certificate and key, the paths where they are to be",
        )
    return profile.credentials.files


def _holder(profile: Profile, files: CertifiedFiles) -> Holder:
    """Whom the certificate names: the profile's actor; an auditor, or who only reads, as the one before says."""
    from tallystick.core.certificate import parse_issued
    from tallystick.core.holder import Holder
    from tallystick.sdk.certificates import read_pem

    try:
        return Holder.parse(profile.actor)
    except ConfigInvalid:
        pass
    try:
        return parse_issued(read_pem(files.certificate), str(files.certificate)).holder
    except (ConfigInvalid, MalformedCertificate) as error:
        raise Usage(
            f"whose certificate it is to be is not said ({error.what})",
            where=str(profile.path),
            expected="[identity], or a certificate to renew; `tallyd cert issue` makes the first",
        ) from None


def _authority(session: Session, files: CertifiedFiles, holder: Holder) -> CertificateAuthority:
    from tallystick.sdk.certificates import CertificateAuthority

    certificate, key = (files.certificate.with_name(f"authority.{suffix}") for suffix in ("crt", "key"))
    if not key.exists():
        raise Usage("the authority's key is not here", where=str(key), expected="--request FILE, for who has it")
    return CertificateAuthority.load(certificate, key, holder.party, session.passphrase)
