-- The log. Ids are 16 bytes, times microseconds since 1970, kinds the domain's stable names.

CREATE TABLE head (
    organization    BLOB    NOT NULL PRIMARY KEY,
    position        INTEGER NOT NULL,
    exchange_number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows are appended to the end of the table; both orders in which they are read are indexes.
CREATE TABLE event (
    organization  BLOB    NOT NULL,
    position      INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    id            BLOB    NOT NULL,
    version       INTEGER NOT NULL,
    event_type    TEXT    NOT NULL,
    event_version TEXT    NOT NULL,
    recorded_at   INTEGER NOT NULL,
    exchange      BLOB,
    actor         TEXT    NOT NULL,
    payload       TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_position ON event (organization, position);
CREATE UNIQUE INDEX event_stream ON event (id, kind, organization, version);

-- Bodies come last: a row is read without them when nobody asks for them.
CREATE TABLE exchange (
    organization  BLOB    NOT NULL,
    number        INTEGER NOT NULL,
    id            BLOB    NOT NULL,
    first         INTEGER,
    last          INTEGER,
    after         INTEGER NOT NULL,
    document      TEXT    NOT NULL,
    request_body  BLOB    NOT NULL,
    answer_body   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX exchange_number ON exchange (organization, number);
CREATE UNIQUE INDEX exchange_id ON exchange (id, organization);

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
