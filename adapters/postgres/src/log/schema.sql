-- Which log this is: one row.
CREATE TABLE rollcall.identity (
    epoch uuid NOT NULL
);
INSERT INTO rollcall.identity (epoch) VALUES (gen_random_uuid());

-- Positions and numbers are given out here, under the row's lock. No tree: the log is empty, or it
-- has to be grown anew from the leaves.
CREATE TABLE rollcall.heads (
    organization    uuid   NOT NULL PRIMARY KEY,
    position        bigint NOT NULL DEFAULT 0,
    exchange_number bigint NOT NULL DEFAULT 0,
    tree            bytea,
    uncovered       bigint NOT NULL DEFAULT 0,
    last_exchange   uuid
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE TABLE rollcall.claims (
    scope               uuid  NOT NULL,
    kind                text  NOT NULL,
    key                 bytea NOT NULL,
    holder_organization uuid  NOT NULL,
    holder_kind         text  NOT NULL,
    holder_id           uuid  NOT NULL,
    CONSTRAINT claims_pkey PRIMARY KEY (scope, kind, key)
);

CREATE TABLE rollcall.claim_keys (
    scope uuid  NOT NULL PRIMARY KEY,
    key   bytea NOT NULL
);

-- Not the snapshots of postgres-es: those are made from events that were applied twice.
CREATE TABLE rollcall.aggregate_snapshots (
    aggregate_type text   NOT NULL,
    aggregate_id   text   NOT NULL,
    version        bigint NOT NULL,
    schema         text   NOT NULL,
    state          text   NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);
