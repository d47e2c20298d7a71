-- What is beside the records and exchanges. Ids are 16 bytes, kinds the domain's stable names.

CREATE TABLE claim (
    scope               BLOB NOT NULL,
    kind                TEXT NOT NULL,
    key                 BLOB NOT NULL,
    holder_organization BLOB NOT NULL,
    holder_kind         TEXT NOT NULL,
    holder_id           BLOB NOT NULL,
    PRIMARY KEY (scope, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE claim_key (
    scope BLOB NOT NULL PRIMARY KEY,
    key   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot (
    organization BLOB    NOT NULL,
    kind         TEXT    NOT NULL,
    id           BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    schema       TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    PRIMARY KEY (organization, kind, id)
) STRICT;
