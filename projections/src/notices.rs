//! What was told by mail, so that nobody is told the same again and again, also not by another
//! process or after a start. It lies in the side store: that somebody was told is no history of the
//! directory.

use crate::columns::{Columns, Stored, columns, read_all};
use crate::schema;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use std::sync::Arc;

/// No more than one mail for one cause in this time, whatever happens.
pub const AT_MOST_EVERY: TimeDelta = TimeDelta::hours(1);

/// What lasts is told again after this time.
pub const AGAIN_AFTER: TimeDelta = TimeDelta::hours(24);

columns! {
    /// A cause that somebody was told of.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct NoticeRow {
        /// Whose.
        pub organization: OrganizationId,
        /// The cause's name.
        pub cause: String,
        /// How many it was about when it was told.
        pub count: u64,
        /// When it was first told of, since it last was right.
        pub first_told_at: DateTime<Utc>,
        /// When it was last told of.
        pub told_at: DateTime<Utc>,
        /// False once it was told that it is right again.
        pub lasts: bool,
    }

    table NOTICES = "notices" {
        key: ["organization", "cause"],
        indexes: [],
        order: "told_at",
    }
}

/// What stands now, and is to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// The cause's name.
    pub cause: String,
    /// How many it is about: a change of it is news.
    pub count: u64,
}

/// What somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The cause's name.
    pub cause: String,
    /// Since when they know of it; none if this is the first time.
    pub since: Option<DateTime<Utc>>,
    /// True if it is right again.
    pub is_over: bool,
}

/// What there is to be told now, and the rows that say that it was. What is not yet to be told stays
/// as it is, so that it is told later.
pub fn due(
    organization: OrganizationId,
    known: &[NoticeRow],
    stands: &[Stands],
    now: DateTime<Utc>,
) -> (Vec<Told>, Vec<NoticeRow>) {
    let (mut tell, mut rows) = (Vec::new(), Vec::new());
    for Stands { cause, count } in stands {
        let before = known.iter().find(|row| row.cause == *cause);
        let is_due = before.is_none_or(|row| {
            let is_news = !row.lasts || row.count != *count;
            now - row.told_at >= if is_news { AT_MOST_EVERY } else { AGAIN_AFTER }
        });
        if !is_due {
            continue;
        }
        let since = before.filter(|row| row.lasts).map(|row| row.first_told_at);
        tell.push(Told { cause: cause.clone(), since, is_over: false });
        rows.push(NoticeRow {
            organization,
            cause: cause.clone(),
            count: *count,
            first_told_at: since.unwrap_or(now),
            told_at: now,
            lasts: true,
        });
    }
    let is_over = |row: &&NoticeRow| {
        row.lasts
            && now - row.told_at >= AT_MOST_EVERY
            && !stands.iter().any(|stands| stands.cause == row.cause)
    };
    for row in known.iter().filter(is_over) {
        let since = Some(row.first_told_at);
        tell.push(Told { cause: row.cause.clone(), since, is_over: true });
        rows.push(NoticeRow { told_at: now, lasts: false, ..row.clone() });
    }
    (tell, rows)
}

/// What was told.
#[derive(Clone)]
pub struct Notices {
    store: Arc<dyn SqlStore>,
}

impl Notices {
    /// Keeps it in this store; makes the table if there is none.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn open(store: Arc<dyn SqlStore>) -> Result<Self, SqlError> {
        schema::make(&*store, &[&NOTICES]).await?;
        Ok(Self { store })
    }

    /// What an organization was told of.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn of(&self, organization: OrganizationId) -> Result<Vec<NoticeRow>, SqlError> {
        read_all(self.store.query(&all(), vec![organization.into()]).await?)
    }

    /// Takes on to tell what is due: whoever asks next, in whatever process, is given none of it.
    /// Gives also what was known before, for [`Notices::leave`].
    ///
    /// # Errors
    /// If it cannot be kept; then nothing is to be told.
    pub async fn take_on(
        &self,
        organization: OrganizationId,
        stands: &[Stands],
        now: DateTime<Utc>,
    ) -> Result<(Vec<Told>, Vec<NoticeRow>), SqlError> {
        let params = vec![organization.into()];
        let (tx, known) = self.store.begin_with(organization, &all(), params).await?;
        let known: Vec<NoticeRow> = read_all(known)?;
        let (tell, rows) = due(organization, &known, stands, now);
        let mut statements = Vec::new();
        if !rows.is_empty() {
            NoticeRow::upsert(rows, &mut statements)?;
        }
        tx.finish(statements).await?;
        Ok((tell, known))
    }

    /// Nobody could be told: it is as it was before it was taken on.
    ///
    /// # Errors
    /// If it cannot be kept; then it counts as told.
    pub async fn leave(
        &self,
        organization: OrganizationId,
        told: &[Told],
        known: Vec<NoticeRow>,
    ) -> Result<(), SqlError> {
        let (tx, _) =
            self.store.begin_with(organization, &all(), vec![organization.into()]).await?;
        let mut statements = Vec::new();
        for Told { cause, .. } in told {
            let sql = "DELETE FROM notices WHERE organization = $1 AND cause = $2".to_owned();
            let params: Vec<SqlValue> = vec![organization.into(), cause.as_str().into()];
            statements.push((sql, params));
        }
        let before: Vec<NoticeRow> =
            known.into_iter().filter(|row| told.iter().any(|t| t.cause == row.cause)).collect();
        if !before.is_empty() {
            NoticeRow::upsert(before, &mut statements)?;
        }
        tx.finish(statements).await
    }
}

fn all() -> String {
    format!("SELECT {} FROM notices WHERE organization = $1 ORDER BY cause", NoticeRow::list())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORGANIZATION: OrganizationId = OrganizationId::NONE;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    /// Tells what is due at a minute, and keeps it.
    fn turn(known: &mut Vec<NoticeRow>, stands: &[Stands], minute: i64) -> Vec<Told> {
        let (told, rows) = due(ORGANIZATION, known, stands, at(minute));
        known.retain(|row| !rows.iter().any(|new| new.cause == row.cause));
        known.extend(rows);
        told
    }

    #[test]
    fn what_lasts_is_told_once_a_day_and_its_end_once() {
        let one = [Stands { cause: "failures-open".into(), count: 1 }];
        let two = [Stands { cause: "failures-open".into(), count: 2 }];
        let mut known = Vec::new();
        assert_eq!(turn(&mut known, &one, 0).len(), 1);
        assert!(turn(&mut known, &one, 61).is_empty(), "it is no news");
        assert!(turn(&mut known, &two, 59).is_empty(), "one an hour");
        assert_eq!(turn(&mut known, &two, 62)[0].since, Some(at(0)), "one more is news");
        assert!(turn(&mut known, &[], 100).is_empty(), "one an hour");
        assert!(turn(&mut known, &[], 122)[0].is_over);
        assert!(turn(&mut known, &[], 10_000).is_empty(), "that it is over is told once");
        assert_eq!(turn(&mut known, &one, 10_001)[0].since, None);
        assert_eq!(turn(&mut known, &one, 10_001 + 24 * 60).len(), 1, "it still lasts");
    }

    proptest! {
        #[test]
        fn nobody_has_more_than_one_mail_an_hour_for_a_cause_and_what_lasts_is_told(
            steps in prop::collection::vec((1_i64..90, prop::collection::btree_map("[abc]", 1_u64..4, 0..3)), 1..120)
        ) {
            let (mut known, mut minute) = (Vec::new(), 0);
            let mut last: std::collections::HashMap<String, i64> = std::collections::HashMap::new();
            for (pause, stands) in steps {
                minute += pause;
                let stands: Vec<Stands> = stands.into_iter().map(|(cause, count)| Stands { cause, count }).collect();
                for told in turn(&mut known, &stands, minute) {
                    let before = last.insert(told.cause, minute);
                    prop_assert!(before.is_none_or(|before| minute - before >= 60));
                }
                // Whoever was told an hour ago or never knows what stands now.
                for Stands { cause, count } in stands {
                    let row = known.iter().find(|row| row.cause == cause).expect("told");
                    let knows = row.lasts && row.count == count;
                    prop_assert!(knows || minute - last[&cause] < 60);
                }
            }
        }
    }
}
