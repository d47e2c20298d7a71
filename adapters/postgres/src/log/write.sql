-- One statement for a whole batch. A claim is either freed or held, never both.
WITH new_events AS (
    INSERT INTO rollcall.events (
        aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
        organization, position, recorded_at, exchange, actor, leaf
    )
    SELECT t.kind, t.id, t.sequence, t.event_type, t.event_version, t.payload::json, t.metadata::json,
           t.organization, t.position, t.recorded_at, t.exchange, t.actor, t.leaf
    FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::uuid[], $9::bigint[], $10::bigint[], $11::uuid[], $12::text[], $13::bytea[]
    ) AS t(kind, id, sequence, event_type, event_version, payload, metadata, organization, position, recorded_at, exchange, actor, leaf)
), new_exchanges AS (
    INSERT INTO rollcall.exchanges (organization, number, id, first, last, after, document, request_body, answer_body, leaf)
    SELECT t.organization, t.number, t.id, t.first, t.last, t.after, t.document::json, t.request_body, t.answer_body, t.leaf
    FROM unnest(
        $14::uuid[], $15::bigint[], $16::uuid[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::bytea[], $22::bytea[], $23::bytea[]
    ) AS t(organization, number, id, first, last, after, document, request_body, answer_body, leaf)
), new_facets AS (
    INSERT INTO rollcall.exchange_facets (organization, key, number)
    SELECT * FROM unnest($38::uuid[], $39::bigint[], $40::bigint[])
), freed AS (
    DELETE FROM rollcall.claims c
    USING unnest($24::uuid[], $25::text[], $26::bytea[]) AS t(scope, kind, key)
    WHERE c.scope = t.scope AND c.kind = t.kind AND c.key = t.key
), held AS (
    INSERT INTO rollcall.claims (scope, kind, key, holder_organization, holder_kind, holder_id)
    SELECT * FROM unnest($27::uuid[], $28::text[], $29::bytea[], $30::uuid[], $31::text[], $32::uuid[])
    ON CONFLICT (scope, kind, key) DO UPDATE
    SET holder_organization = excluded.holder_organization, holder_kind = excluded.holder_kind, holder_id = excluded.holder_id
)
UPDATE rollcall.heads h SET position = t.position, exchange_number = t.exchange_number, tree = t.tree,
    last_exchange = coalesce(t.last_exchange, h.last_exchange)
FROM unnest($33::uuid[], $34::bigint[], $35::bigint[], $36::bytea[], $37::uuid[])
    AS t(organization, position, exchange_number, tree, last_exchange)
WHERE h.organization = t.organization
