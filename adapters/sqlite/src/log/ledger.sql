-- What an organization's ledger covers, and the name of the log. Ids are 16 bytes, times
-- microseconds since 1970, kinds the domain's stable names; a leaf is 32 bytes.

-- One row: drawn when the log is made.
CREATE TABLE identity (
    epoch BLOB NOT NULL
) STRICT;
INSERT INTO identity (epoch) VALUES (randomblob(16));

-- No tree: it has to be grown anew from the leaves.
CREATE TABLE head (
    organization    BLOB    NOT NULL PRIMARY KEY,
    position        INTEGER NOT NULL,
    exchange_number INTEGER NOT NULL,
    tree            BLOB,
    uncovered       INTEGER NOT NULL DEFAULT 0,
    last_exchange   BLOB
) STRICT, WITHOUT ROWID;

-- Rows are appended to the end of the table; both orders in which they are read are indexes.
CREATE TABLE event (
    organization  BLOB    NOT NULL,
    position      INTEGER NOT NULL CHECK (position > 0),
    kind          TEXT    NOT NULL,
    id            BLOB    NOT NULL,
    version       INTEGER NOT NULL,
    event_type    TEXT    NOT NULL,
    event_version TEXT    NOT NULL,
    recorded_at   INTEGER NOT NULL,
    exchange      BLOB,
    actor         TEXT    NOT NULL,
    leaf          BLOB    NOT NULL,
    payload       TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_position ON event (organization, position);
CREATE UNIQUE INDEX event_stream ON event (id, kind, organization, version);

-- Bodies come last: a row is read without them when nobody asks for them.
CREATE TABLE exchange (
    organization  BLOB    NOT NULL,
    number        INTEGER NOT NULL CHECK (number > 0),
    id            BLOB    NOT NULL,
    first         INTEGER,
    last          INTEGER,
    after         INTEGER NOT NULL,
    leaf          BLOB    NOT NULL,
    document      TEXT    NOT NULL,
    request_body  BLOB    NOT NULL,
    answer_body   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX exchange_number ON exchange (organization, number);
CREATE UNIQUE INDEX exchange_id ON exchange (id, organization);
