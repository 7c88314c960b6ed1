"""What a client keeps, sealed under its identity's key, taken over when another key takes that one's place.

Each file is replaced whole, so that interrupted it is run again, and a program that looks meanwhile finds every file.
"""

from __future__ import annotations

from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import Signer
from tallystick.sdk.profile import Profile
from tallystick.sdk.salts import SALTS, salts_folder
from tallystick.sdk.spool import spool_folder, spool_of


def reseal(profile: Profile, old: Signer) -> int:
    """Seal what the profile's client keeps under `old` under the key of its identity; how many files. Raises
    ConfigInvalid.
    """
    key = profile.signing_key()
    spool = spool_of(profile.state, profile.actor)
    folders = [spool_folder(spool, each.origin, key) for each in profile.charter.ledgers]
    done = 0
    try:
        for folder in (*folders, salts_folder(profile.state / SALTS, key)):
            for name in folder.sealed_by(old.public):
                folder.take_over(name, old)
                done += 1
    except OSError as error:
        raise ConfigInvalid(f"cannot be read: {error.strerror}", where=str(error.filename)) from None
    return done
