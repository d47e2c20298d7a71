-- What is known of the streams up to a revision. Ids are 16 bytes, kinds the domain's stable names.
-- Everything but snapshots is folded from the streams; all of it may be thrown away.

-- How far each organization's stream is folded; last_id is the id of the event at that revision.
-- No tree: it has to be grown anew from the leaves.
CREATE TABLE folded (
    organization    BLOB    NOT NULL PRIMARY KEY,
    revision        INTEGER NOT NULL,
    last_id         BLOB    NOT NULL,
    position        INTEGER NOT NULL,
    exchange_number INTEGER NOT NULL,
    tree            BLOB,
    uncovered       INTEGER NOT NULL,
    last_exchange   BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    organization BLOB    NOT NULL,
    position     INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    id           BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    leaf         BLOB    NOT NULL,
    PRIMARY KEY (organization, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_stream ON record (id, kind, organization, version, revision);

-- first_body and last_body are revisions in the month's stream of bodies.
CREATE TABLE exchange (
    organization BLOB    NOT NULL,
    number       INTEGER NOT NULL,
    id           BLOB    NOT NULL,
    revision     INTEGER NOT NULL,
    first        INTEGER,
    last         INTEGER,
    after        INTEGER NOT NULL,
    leaf         BLOB    NOT NULL,
    month        INTEGER,
    first_body   INTEGER,
    last_body    INTEGER,
    dropped      INTEGER NOT NULL,
    PRIMARY KEY (organization, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX exchange_id ON exchange (id, organization);
CREATE INDEX exchange_body ON exchange (organization, month, dropped, first_body) WHERE month IS NOT NULL;

CREATE TABLE claim (
    scope               BLOB NOT NULL,
    kind                TEXT NOT NULL,
    key                 BLOB NOT NULL,
    holder_organization BLOB NOT NULL,
    holder_kind         TEXT NOT NULL,
    holder_id           BLOB NOT NULL,
    PRIMARY KEY (scope, kind, key)
) STRICT, WITHOUT ROWID;

-- Claims of a scope that wait for an append to another organization's stream.
CREATE TABLE pending (
    scope        BLOB    NOT NULL,
    revision     INTEGER NOT NULL,
    organization BLOB    NOT NULL,
    behind       INTEGER,
    token        BLOB    NOT NULL,
    changes      BLOB    NOT NULL,
    PRIMARY KEY (scope, revision)
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
