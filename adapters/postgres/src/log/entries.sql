-- What the ledger is over.

-- The first seven columns are those of postgres-es. `json` keeps the text as it came.
CREATE TABLE rollcall.events (
    aggregate_type text   NOT NULL,
    aggregate_id   text   NOT NULL,
    sequence       bigint NOT NULL CHECK (sequence > 0),
    event_type     text   NOT NULL,
    event_version  text   NOT NULL,
    payload        json   NOT NULL,
    metadata       json   NOT NULL,
    organization   uuid   NOT NULL,
    position       bigint NOT NULL CHECK (position > 0),
    recorded_at    bigint NOT NULL,
    exchange       uuid,
    actor          text   NOT NULL,
    leaf           bytea  NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_position UNIQUE (organization, position)
);
COMMENT ON COLUMN rollcall.events.recorded_at IS 'microseconds since 1970';

CREATE TABLE rollcall.exchanges (
    organization uuid   NOT NULL,
    number       bigint NOT NULL CHECK (number > 0),
    id           uuid   NOT NULL,
    first        bigint,
    last         bigint,
    after        bigint NOT NULL,
    document     json   NOT NULL,
    request_body bytea  NOT NULL,
    answer_body  bytea  NOT NULL,
    leaf         bytea  NOT NULL,
    CONSTRAINT exchanges_pkey PRIMARY KEY (organization, number),
    CONSTRAINT exchanges_id UNIQUE (organization, id)
);
