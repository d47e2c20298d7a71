//! Everybody at a position, in pages: what to begin with, and to go on from by the feed.

use crate::feed::is_in_the_log;
use crate::limits::{ON_A_PAGE, USUAL, within};
use crate::room::Feed;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use rollcall_contract::Problem;
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::feed::{SnapshotBody, SnapshotItem, SnapshotQuery};
use rollcall_domain::consumer::Payload;
use rollcall_domain::log::Position;
use rollcall_domain::public_type::PublicType;
use rollcall_domain::scim::ResourceKind;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Follower;
use rollcall_door::{App, Refusal};
use rollcall_projections::consumers::ConsumerRow;
use rollcall_projections::directory::wire;
use std::sync::Arc;

/// The parts of a snapshot, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Users,
    Groups,
    Members,
}

impl Section {
    const ALL: [Section; 3] = [Section::Users, Section::Groups, Section::Members];

    fn as_str(self) -> &'static str {
        match self {
            Section::Users => "users",
            Section::Groups => "groups",
            Section::Members => "members",
        }
    }

    fn next(self) -> Option<Section> {
        match self {
            Section::Users => Some(Section::Groups),
            Section::Groups => Some(Section::Members),
            Section::Members => None,
        }
    }

    /// What is not told in events is not told at once.
    fn is_for(self, consumer: &ConsumerRow) -> bool {
        let family: &[PublicType] = match self {
            Section::Users => &[
                PublicType::UserCreated,
                PublicType::UserUpdated,
                PublicType::UserDeactivated,
                PublicType::UserReactivated,
                PublicType::UserDeleted,
            ],
            Section::Groups => &[
                PublicType::GroupCreated,
                PublicType::GroupRenamed,
                PublicType::GroupUpdated,
                PublicType::GroupDeleted,
            ],
            Section::Members => &[PublicType::GroupMemberAdded, PublicType::GroupMemberRemoved],
        };
        family.iter().any(|public| consumer.types.wants(*public))
    }
}

/// Where a page begins, written `POSITION.SECTION.PLACE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    at: Position,
    section: Section,
    after: u64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (at, section, after) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| plain)
        };
        let cursor = Self {
            at: digits(at)?,
            section: Section::ALL.into_iter().find(|known| known.as_str() == section)?,
            after: digits(after)?,
        };
        parts.next().is_none().then_some(cursor)
    }

    fn write(self) -> String {
        format!("{}.{}.{}", self.at, self.section.as_str(), self.after)
    }
}

/// Users, groups and memberships as they were at one position, which all pages share. The feed goes
/// on after it.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/snapshot",
    tag = "feed",
    params(ConsumerPath, SnapshotQuery),
    security(("operator" = []), ("admin" = []), ("consumer" = [])),
    responses(
        (status = 200, body = SnapshotBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The position is beyond the end of the log"),
        (status = 503, body = Problem),
    ),
)]
pub async fn read(
    follower: Follower,
    State(app): State<Arc<App>>,
    State(feed): State<Arc<Feed>>,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
) -> Result<Json<SnapshotBody>, Refusal> {
    let Query(query) = query.map_err(|e| Refusal::bad_request(e.body_text()))?;
    let limit = within("limit", query.limit, USUAL, ON_A_PAGE)?;
    let consumer = &follower.consumer(&app).await?;
    let head = app.engine.log.head(consumer.organization).await?.position;
    let mut cursor = match &query.after {
        None => Cursor { at: head, section: Section::Users, after: 0 },
        Some(text) => Cursor::parse(text).ok_or_else(|| {
            Refusal::parameter("after", "after= must be the `next` of another page of a snapshot")
        })?,
    };
    is_in_the_log(cursor.at, head)?;
    let views = app.audit.of(consumer.organization).await?;
    let crowd = feed.chain.crowds.of(&app, consumer, cursor.at).await?;
    let mut items = Vec::new();
    let next = loop {
        let room = limit - items.len();
        let found = match cursor.section.is_for(consumer) {
            true => section(&app, &views, consumer, cursor, room).await?,
            false => Vec::new(),
        };
        let is_full = found.len() >= room;
        if let Some((place, _)) = found.last() {
            cursor.after = *place;
        }
        let is_for = |item: &SnapshotItem| match (&crowd, item) {
            (None, _) => true,
            (Some(crowd), SnapshotItem::User { id, .. }) => crowd.holds(*id, cursor.at),
            (Some(crowd), SnapshotItem::Group { id, .. }) => crowd.is_named(*id),
            (Some(crowd), SnapshotItem::Member { group, .. }) => crowd.is_named(*group),
        };
        items.extend(found.into_iter().map(|(_, item)| item).filter(is_for));
        // What is left out makes room for more.
        if is_full && items.len() < limit {
            continue;
        }
        if is_full {
            break Some(cursor);
        }
        match cursor.section.next() {
            Some(section) => cursor = Cursor { section, after: 0, ..cursor },
            None => break None,
        }
    };
    let next = next.map(Cursor::write);
    let epoch = app.engine.log.epoch().await?.to_string();
    Ok(Json(SnapshotBody { position: cursor.at, items, next, epoch }))
}

/// The next items of a section, each with its place.
async fn section(
    app: &App,
    views: &Reads,
    consumer: &ConsumerRow,
    cursor: Cursor,
    limit: usize,
) -> Result<Vec<(u64, SnapshotItem)>, Refusal> {
    let (organization, Cursor { at, after, .. }) = (consumer.organization, cursor);
    let kind = match cursor.section {
        Section::Users => ResourceKind::User,
        Section::Groups => ResourceKind::Group,
        Section::Members => {
            let found = views.history.all_memberships(organization, at, after, limit).await?;
            let item = |m: rollcall_projections::history::HeldMembership| {
                (m.place, SnapshotItem::Member { group: m.group.0, member: m.member.0 })
            };
            return Ok(found.into_iter().map(item).collect());
        }
    };
    let rows = views.history.resources(organization, kind, at, None, after, limit).await?;
    let item = |row: &rollcall_projections::directory::ResourceRow| {
        let resource = (consumer.payload == Payload::Full)
            .then(|| wire(kind, row, &app.scim_base, None, None));
        match kind {
            ResourceKind::User => SnapshotItem::User { id: row.id.0, resource },
            ResourceKind::Group => SnapshotItem::Group { id: row.id.0, resource },
        }
    };
    Ok(rows.iter().map(|row| (row.seq, item(row))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_cursor_is_refused() {
        let odd = [
            "",
            ".",
            "1",
            "1.users",
            "1.users.",
            "1.users.2.",
            "1.users.2.3",
            "x.users.2",
            "+1.users.2",
            "1.Users.2",
            "1.sessions.2",
            "1.users.-2",
            " 1.users.2",
            "99999999999999999999.users.2",
        ];
        for text in odd {
            assert_eq!(Cursor::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(at: u64, section in 0_usize..3, after: u64) {
            let cursor = Cursor { at, section: Section::ALL[section], after };
            prop_assert_eq!(Cursor::parse(&cursor.write()), Some(cursor));
        }

        #[test]
        fn nothing_makes_it_panic(text: String) {
            if let Some(cursor) = Cursor::parse(&text) {
                prop_assert!(Cursor::parse(&cursor.write()) == Some(cursor));
            }
        }
    }
}
