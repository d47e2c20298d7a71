//! What exchanges are found by.

use crate::fixture::Logs;
use crate::given::*;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use std::sync::Arc;

/// Subjects as clients send them: what is in a path need not be an id.
const SUBJECTS: [Option<&str>; 6] =
    [None, Some("7"), Some(""), Some("a\0b"), Some("Zoë"), Some("x' OR 1=1 --")];
const OPERATIONS: [&str; 3] = ["users.get", "users.patch", "groups.patch"];

/// Exchanges of two organizations in every mixture of what they are found by.
pub async fn many(log: &Arc<dyn Log>, organizations: [OrganizationId; 2]) -> anyhow::Result<()> {
    for n in 0..72 {
        let organization = organizations[n % 2];
        let mut append = bare(organization, n as u128);
        if let Some(exchange) = &mut append.exchange {
            exchange.subject = SUBJECTS[n % SUBJECTS.len()].map(str::to_owned);
            exchange.operation = OPERATIONS[n / 2 % OPERATIONS.len()].to_owned();
            exchange.unknown_shape = n.is_multiple_of(7);
            exchange.answer.status = if n % 5 < 2 { 409 } else { 200 };
        }
        log.append(append).await?;
    }
    Ok(())
}

/// Everything that can be asked, held against looking at each.
pub async fn assert_found(
    log: &Arc<dyn Log>,
    organization: OrganizationId,
) -> anyhow::Result<usize> {
    let mut facets = vec![Facet::Failed, Facet::UnknownShape, Facet::Subject("nobody")];
    facets.extend(SUBJECTS.into_iter().flatten().map(Facet::Subject));
    facets.extend(OPERATIONS.map(Facet::Operation));
    let all = log.exchanges(organization, 0, 1_000, Bodies::Skip).await?;
    let mut count = 0;
    for facet in facets {
        for start in [Start::Latest, Start::Before(20), Start::Before(0), Start::After(9)] {
            for limit in [0, 1, 3, 100] {
                let found = log.exchanges_with(organization, facet, start, limit).await?;
                let likes = |x: &&RecordedExchange| facet.is_of(&x.exchange);
                let newest = all.iter().rev().filter(likes);
                let expected: Vec<_> = match start {
                    Start::Latest => newest.take(limit).cloned().collect(),
                    Start::Before(n) => {
                        newest.filter(|x| x.number < n).take(limit).cloned().collect()
                    }
                    Start::After(n) => {
                        let oldest = all.iter().filter(likes).filter(|x| x.number > n);
                        oldest.take(limit).cloned().collect()
                    }
                };
                assert_eq!(found, expected, "{facet:?} {start:?} {limit}");
                count += found.len();
            }
        }
    }
    Ok(count)
}

pub async fn exchanges_are_found_by_each_facet(it: Logs) -> anyhow::Result<()> {
    assert_eq!(it.log.exchanges_with(ONE, Facet::Failed, Start::Latest, 9).await?, []);
    many(&it.log, [ONE, TWO]).await?;
    let found = assert_found(&it.log, ONE).await? + assert_found(&it.log, TWO).await?;
    assert!(found > 300, "{found}");
    // What is found is found without its bodies, and whatever became of them.
    it.log.drop_bodies(ONE, 0, 99).await?;
    assert_found(&it.log, ONE).await?;
    Ok(())
}

/// Keys are stored: a log of before is read with those of now.
#[test]
fn keys_of_facets_stay_what_they_are() {
    let id = "00000000-0000-0000-0000-000000000007";
    for (facet, key) in [
        (Facet::Subject(id), -5_370_119_931_357_103_073),
        (Facet::Operation("users.patch"), -4_735_701_075_450_775_843),
        (Facet::Failed, 1_762_069_850_861_611_324),
        (Facet::UnknownShape, 1_806_297_298_408_474_588),
    ] {
        assert_eq!(facet.key(), key, "{facet:?}");
    }
}
