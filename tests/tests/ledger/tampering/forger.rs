//! Somebody who knows the format: computes the leaves of what is there, and grows the tree anew.

use crate::copies::{Copy, Dialect};
use anyhow::Result;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::{Frontier, in_order_of_commit};
use rollcall_domain::log::{Bodies, exchange_leaf, record_leaf};

/// The leaf of a record, counted from 1.
pub async fn leaf_of(copy: &Copy, organization: OrganizationId, position: u64) -> Result<u64> {
    let exchanges = copy.log().await?.exchange_leaves(organization, 0, 100_000).await?;
    Ok(position + exchanges.iter().filter(|x| x.after < position).count() as u64)
}

/// Makes all leaves and the head's tree fit what is stored.
pub async fn regrow(copy: &Copy, organization: OrganizationId) -> Result<()> {
    let log = copy.log().await?;
    let records = log.records(organization, 0, 100_000).await?;
    let exchanges = log.exchanges(organization, 0, 100_000, Bodies::Read).await?;
    drop(log);
    let d = copy.dialect();
    let (of, Dialect { events, exchanges: table, heads, .. }) = (d.of(organization), d);
    let mut sql = Vec::new();
    let of_records: Vec<_> = records.iter().map(|r| (r.position, record_leaf(r))).collect();
    for (position, leaf) in &of_records {
        let leaf = d.bytes(&leaf.0);
        sql.push(format!("UPDATE {events} SET leaf = {leaf} WHERE {of} AND position = {position}"));
    }
    let of_exchanges: Vec<_> = exchanges.iter().map(|x| (x.after, exchange_leaf(x))).collect();
    for (x, (_, leaf)) in exchanges.iter().zip(&of_exchanges) {
        let (leaf, number) = (d.bytes(&leaf.0), x.number);
        sql.push(format!("UPDATE {table} SET leaf = {leaf} WHERE {of} AND number = {number}"));
    }
    let tree: Frontier = in_order_of_commit(of_records, of_exchanges).collect();
    let tree = d.bytes(&tree.to_bytes());
    sql.push(format!(
        "UPDATE {heads} SET tree = {tree}, last_exchange = (SELECT id FROM {table} WHERE {of} ORDER BY number DESC LIMIT 1) WHERE {of}"
    ));
    copy.run(&sql).await
}
