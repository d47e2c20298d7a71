-- Stream versions, holders of claims and known exchanges, each with its index in what was asked,
-- and the exchanges that are where the last ones known were. And whether a backup is
-- being put into the log.
SELECT 'stream', t.i, e.sequence, NULL::bigint, NULL::bigint, NULL::uuid, NULL::text, NULL::uuid
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t(kind, id, i)
CROSS JOIN LATERAL (
    SELECT sequence FROM rollcall.events
    WHERE aggregate_type = t.kind AND aggregate_id = t.id
    ORDER BY sequence DESC LIMIT 1
) AS e
UNION ALL
SELECT 'claim', t.i, NULL, NULL, NULL, c.holder_organization, c.holder_kind, c.holder_id
FROM unnest($3::uuid[], $4::text[], $5::bytea[]) WITH ORDINALITY AS t(scope, kind, key, i)
JOIN rollcall.claims c ON c.scope = t.scope AND c.kind = t.kind AND c.key = t.key
UNION ALL
SELECT 'exchange', t.i, x.number, x.first, x.last, NULL, NULL, NULL
FROM unnest($6::uuid[], $7::uuid[]) WITH ORDINALITY AS t(organization, id, i)
JOIN rollcall.exchanges x ON x.organization = t.organization AND x.id = t.id
UNION ALL
SELECT 'known', t.i, NULL, NULL, NULL, t.organization, NULL, x.id
FROM unnest($8::uuid[], $9::bigint[]) WITH ORDINALITY AS t(organization, number, i)
JOIN rollcall.exchanges x ON x.organization = t.organization AND x.number = t.number
UNION ALL
SELECT 'restoring', 0, NULL, NULL, NULL, NULL, NULL, NULL FROM rollcall.notes WHERE name = 'restoring'
