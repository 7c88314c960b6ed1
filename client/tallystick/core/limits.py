"""Every bound of the formats, each a named constant with its unit. Sources: the design, sections 4 and 5.

A bound that a field of a statement has stands with that field, in `statement.proto`.
"""

from __future__ import annotations

# Statements and submissions (admission refuses what is larger).
STATEMENT_BYTES_MAX = 64_000
SUBMISSION_STATEMENTS_MAX = 1_000
SUBMISSION_BYTES_MAX = 2 * 1024 * 1024
SUBMISSION_ID_BYTES = 16
SUBMISSION_AGE_MAX_US = 7 * 24 * 3600 * 1_000_000
SUBMISSION_AHEAD_MAX_US = 5 * 60 * 1_000_000

# Entries and their storage. 65,535 is what a tlog-tiles entry bundle can hold (16-bit lengths).
ENTRY_BYTES_MAX = 65_535
SEGMENT_ENTRIES_MAX = 64
SEGMENT_BYTES_MAX = 256 * 1024
COMMIT_ENTRIES_MAX = 32_768
COMMIT_BYTES_MAX = 16 * 1024 * 1024
LEDGER_ENTRIES_MAX = 2**48

# Answers.
ANSWER_BYTES_MAX = 1024 * 1024
FIND_PAGE_ENTRIES_MAX = 1_000

# Hashes, keys, notes.
HASH_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
PROOF_HASHES_MAX = 64
NOTE_BYTES_MAX = 1_000_000
NOTE_SIGNATURES_MAX = 100
# Cosignatures in a note that a ledger records: under the longest names that origins allow, a statement still holds it.
# A ledger has fewer witnesses, so that there is room for those of others beside theirs.
NOTED_COSIGNATURES_MAX = 72
WITNESSES_MAX = 64
CHARTER_BYTES_MAX = 900_000
# A party's certificate authorities: one, two while one takes the other's place. Ours have some 600 bytes.
AUTHORITIES_MAX = 2
CERTIFICATE_BYTES_MAX = 16 * 1024
# How long a certificate is good for at most, whatever its authority says: at other bureaus' nodes nothing else ends one
# that was stolen. A year, and a day over, since each begins an hour before it is made.
CERTIFICATE_DAYS_MAX = 366
CERTIFICATE_TERM_MAX_US = (CERTIFICATE_DAYS_MAX + 1) * 24 * 3600 * 1_000_000
EVIDENCE_BYTES_MAX = 2 * 1024 * 1024
SALT_BYTES = 32

# What a client reads whole into memory. A parsed file takes some ten times its length.
IMPORT_BYTES_MAX = 256 * 1024 * 1024
# What it reads record by record: the longest record, or line.
IMPORT_RECORD_CHARS_MAX = 1024 * 1024

# How much is taken of a sentence that another node wrote, in characters.
SENTENCE_CHARS_MAX = 1_000

# A deadline or threshold of a rulebook, in its own unit (days, hours, how many). More would be a slip.
RULEBOOK_NUMBER_MAX = 1_000_000

# What a client keeps of submissions until they are witnessed. At a submission of 1,000 statements every second, hours.
SPOOL_SUBMISSIONS_MAX = 20_000
SPOOL_BYTES_MAX = 2 * 1024 * 1024 * 1024

# Identifiers, in characters.
BUREAU_ID_CHARS_MAX = 64
ACTOR_NAME_CHARS_MAX = 31
LABEL_CHARS_MAX = 64
RESOURCE_CODE_CHARS_MAX = 256
ORIGIN_CHARS_MAX = 255
