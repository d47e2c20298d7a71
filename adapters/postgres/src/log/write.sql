-- One statement for a whole batch. A claim is either freed or held, never both.
WITH new_events AS (
    INSERT INTO rollcall.events (
        aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
        organization, position, recorded_at, exchange, actor
    )
    SELECT t.kind, t.id, t.sequence, t.event_type, t.event_version, t.payload::json, t.metadata::json,
           t.organization, t.position, t.recorded_at, t.exchange, t.actor
    FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::uuid[], $9::bigint[], $10::bigint[], $11::uuid[], $12::text[]
    ) AS t(kind, id, sequence, event_type, event_version, payload, metadata, organization, position, recorded_at, exchange, actor)
), new_exchanges AS (
    INSERT INTO rollcall.exchanges (organization, number, id, first, last, after, document, request_body, answer_body)
    SELECT t.organization, t.number, t.id, t.first, t.last, t.after, t.document::json, t.request_body, t.answer_body
    FROM unnest(
        $13::uuid[], $14::bigint[], $15::uuid[], $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::bytea[], $21::bytea[]
    ) AS t(organization, number, id, first, last, after, document, request_body, answer_body)
), freed AS (
    DELETE FROM rollcall.claims c
    USING unnest($22::uuid[], $23::text[], $24::bytea[]) AS t(scope, kind, key)
    WHERE c.scope = t.scope AND c.kind = t.kind AND c.key = t.key
), held AS (
    INSERT INTO rollcall.claims (scope, kind, key, holder_organization, holder_kind, holder_id)
    SELECT * FROM unnest($25::uuid[], $26::text[], $27::bytea[], $28::uuid[], $29::text[], $30::uuid[])
    ON CONFLICT (scope, kind, key) DO UPDATE
    SET holder_organization = excluded.holder_organization, holder_kind = excluded.holder_kind, holder_id = excluded.holder_id
)
UPDATE rollcall.heads h SET position = t.position, exchange_number = t.exchange_number
FROM unnest($31::uuid[], $32::bigint[], $33::bigint[]) AS t(organization, position, exchange_number)
WHERE h.organization = t.organization
