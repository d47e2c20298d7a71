//! What a client does not want any more is no open failure.

mod support;

use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::failure::{Change, Wants};
use rollcall_domain::log::AggregateKind;
use rollcall_domain::user::UserEvent;
use rollcall_projections::failures::{FailureFilter, FailureRow, FailureViews};
use support::*;

/// A client, by its token.
const ENTRA: u128 = 1;
const DESK: u128 = 2;

/// A story that is told minute by minute.
struct Story {
    world: World,
    number: u128,
}

impl Story {
    /// Four people are there, and active.
    async fn new() -> Self {
        let world = World::new().await;
        for n in 1..=4 {
            world.user(n, vec![created(&format!("u{n}"))]).await;
        }
        Self { world, number: 0 }
    }

    fn next(
        &mut self,
        minute: u64,
        client: u128,
        operation: &str,
        who: u128,
        status: u16,
    ) -> Exchange {
        self.number += 1;
        let mut exchange =
            exchange(ORG, self.number, Actor::ScimToken { token: token(client) }, status);
        exchange.received_at = at(minute * 60);
        exchange.operation = operation.to_owned();
        exchange.target = format!("/scim/v2/Users/{}", user(who));
        exchange.subject = Some(user(who).to_string());
        exchange
    }

    async fn write(
        &mut self,
        minute: u64,
        client: u128,
        who: u128,
        status: u16,
        attributes: &[(&str, &str)],
        ends_access: bool,
    ) {
        let mut exchange = self.next(minute, client, "users.patch", who, status);
        let change = |(path, value): &(&str, &str)| Change {
            path: (*path).to_owned(),
            value: Some((*value).to_owned()),
        };
        exchange.facts.wants = Wants {
            attributes: attributes.iter().map(change).collect(),
            ends_access,
            request: Some("00".repeat(16)),
            ..Wants::default()
        };
        let off = ends_access && status < 400;
        let events = off.then_some(UserEvent::Deactivated {}).into_iter().collect();
        self.world.answered(AggregateKind::User, user(who).0, events, exchange).await;
    }

    async fn read(&mut self, minute: u64, client: u128, who: u128) {
        let exchange = self.next(minute, client, "users.read", who, 200);
        self.world.exchange(exchange).await;
    }

    /// A lookup for nobody: a cycle begins.
    async fn cycle(&mut self, minute: u64, client: u128) {
        let mut exchange = self.next(minute, client, "users.list", 0, 200);
        (exchange.subject, exchange.target) =
            (None, "/scim/v2/Users?filter=userName+eq+%22nobody%22".to_owned());
        self.world.exchange(exchange).await;
    }

    /// What is open; a page of one exchange gives the same as one of all.
    async fn open(&self) -> Vec<FailureRow> {
        let folder = self.world.audit_folder().await.with_page(1);
        folder.fold(ORG).await.unwrap();
        let whole = self.world.audit_folder().await;
        assert_eq!(whole.verify().await.unwrap().count, 0, "pages of any size give the same rows");
        FailureViews::new(self.world.audit.clone())
            .list(ORG, &FailureFilter::default(), 100)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn what_a_client_has_read_and_left_as_it_is_is_as_it_wants_it() {
    let mut story = Story::new().await;
    story.write(0, ENTRA, 1, 400, &[("active", "nonsense")], false).await;
    // Somebody else may look as long as they like.
    story.read(10, DESK, 1).await;
    story.cycle(200, DESK).await;
    story.cycle(200, ENTRA).await;
    assert_eq!(story.open().await.len(), 1, "Entra has not looked");
    // A change that comes a cycle after the look shows that it was lost on the way.
    story.read(240, ENTRA, 1).await;
    story.cycle(280, ENTRA).await;
    assert_eq!(story.open().await.len(), 1, "it is too early to tell");
    story.read(280, ENTRA, 1).await;
    story.write(280, ENTRA, 1, 400, &[("active", "nonsense")], false).await;
    story.cycle(400, ENTRA).await;
    assert_eq!(story.open().await[0].count, 2, "it wants the same still");
    story.read(440, ENTRA, 1).await;
    story.cycle(520, ENTRA).await;
    assert_eq!(story.open().await, [], "it has looked, and wanted nothing");
}

#[tokio::test]
async fn whoever_has_compared_sends_all_that_it_wants() {
    let mut story = Story::new().await;
    story.write(0, ENTRA, 1, 409, &[("userName", "taken"), ("active", "false")], true).await;
    story.write(1, ENTRA, 1, 200, &[("title", "lead")], false).await;
    assert_eq!(story.open().await.len(), 1, "another change, without a look, tells nothing");
    // Who should have lost access is on again by now, and the name is taken still.
    story.read(40, ENTRA, 1).await;
    story.write(40, ENTRA, 1, 409, &[("userName", "taken")], false).await;
    let open = story.open().await;
    assert_eq!(open.len(), 1);
    assert!(
        !open[0].leaves_access && open[0].wants.iter().flatten().eq(["a:userName"]),
        "{open:?}"
    );
    // The name goes back to what it was, and the title changes.
    story.read(80, ENTRA, 1).await;
    story.write(80, ENTRA, 1, 200, &[("title", "porter")], false).await;
    assert_eq!(story.open().await, []);
}

#[tokio::test]
async fn whoever_still_has_access_is_not_put_aside_by_silence() {
    let mut story = Story::new().await;
    story.write(0, ENTRA, 1, 503, &[("active", "false")], true).await;
    story.read(40, ENTRA, 1).await;
    story.write(40, ENTRA, 1, 200, &[("title", "lead")], false).await;
    story.read(80, ENTRA, 1).await;
    story.cycle(200, ENTRA).await;
    // Nor by another resource that takes the name.
    story.write(210, ENTRA, 1, 200, &[("externalId", "ada")], false).await;
    story.write(220, ENTRA, 2, 200, &[("externalId", "ada")], false).await;
    assert!(story.open().await.iter().any(|row| row.leaves_access), "{:?}", story.open().await);
    story.write(230, ENTRA, 1, 200, &[("active", "")], false).await;
    assert!(story.open().await.iter().any(|row| row.leaves_access), "no later request says so");
    story.write(240, ENTRA, 1, 200, &[("active", "false")], true).await;
    assert_eq!(story.open().await, []);
}

#[tokio::test]
async fn whom_a_client_calls_by_another_resource_it_does_not_want_here() {
    let mut story = Story::new().await;
    story.write(0, ENTRA, 1, 200, &[("externalId", "ada"), ("title", "lead")], false).await;
    story.write(1, ENTRA, 2, 200, &[("externalId", "bo")], false).await;
    story.write(40, ENTRA, 1, 409, &[("userName", "taken")], false).await;
    story.write(41, ENTRA, 3, 200, &[("externalId", "bo")], false).await;
    assert_eq!(story.open().await.len(), 1, "that is somebody else");
    story.write(80, ENTRA, 4, 200, &[("externalId", "ada")], false).await;
    assert_eq!(story.open().await, []);
}

#[tokio::test]
async fn what_is_to_be_deleted_and_is_gone_is_as_it_should_be() {
    let mut story = Story::new().await;
    story.write(0, ENTRA, 5, 404, &[("title", "lead")], false).await;
    assert_eq!(story.open().await.len(), 1);
    let gone = story.next(40, ENTRA, "users.delete", 5, 404);
    story.world.exchange(gone).await;
    assert_eq!(story.open().await, []);
}
