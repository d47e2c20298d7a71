//! `rollcall consumer`

use super::Exit;
use super::client::Client;
use super::one_consumer::One;
use super::output;
use super::parked::{self, Parked};
use super::who;
use crate::cells;
use crate::output::Cell;
use crate::say;
use clap::{Subcommand, ValueEnum};
use rollcall_contract::consumers::{
    ConsumerAdded, ConsumerBody, ConsumerKind, ConsumerRotated, NewConsumer, PayloadMode,
    Redelivery, Rotation,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::{route, span};
use uuid::Uuid;

/// How a consumer gets its events.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// It asks for them
    Pull,
    /// They are posted to it
    Webhook,
    /// It asks for security event tokens (RFC 8936)
    SetPoll,
    /// Security event tokens are posted to it (RFC 8935)
    SetPush,
}

/// How much events tell.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Payload {
    /// Everything, personal data included
    Full,
    /// What happened to which id, and no value of anybody
    Notice,
    /// That there is something to ask for, and nothing else; for webhooks
    Poke,
}

/// Consumers: who follows an organization's log from outside
#[derive(Debug, Subcommand)]
pub enum Consumer {
    /// Let somebody follow the log; the key is shown once
    Add {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// What it is called, unique in its organization
        #[arg(long)]
        name: String,
        /// How it gets its events
        #[arg(long, value_enum)]
        kind: Kind,
        /// Where they are posted to; a signed message that asks whether it is there must be answered
        /// 2xx
        #[arg(long, value_name = "ADDRESS", required_if_eq_any([("kind", "webhook"), ("kind", "set-push")]))]
        post_to: Option<String>,
        /// Whom security event tokens are for: what its receiver expects as aud
        #[arg(long, required_if_eq_any([("kind", "set-poll"), ("kind", "set-push")]))]
        audience: Option<String>,
        /// Only what stands after this position; what comes from now on if absent
        #[arg(long, value_name = "POSITION")]
        start: Option<u64>,
        /// Which types it gets, such as user.*,group.member_added; all of them if absent
        #[arg(long, value_name = "TYPES", value_delimiter = ',')]
        types: Vec<String>,
        /// How much they tell
        #[arg(long, value_enum, default_value = "full")]
        payload: Payload,
        /// Names or ids of groups: only these, and who is a member of one of them; everybody if
        /// absent
        #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
        groups: Vec<String>,
    },
    /// List consumers, and how far each has come
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Show a consumer
    Show(One),
    /// Give a consumer nothing until it is resumed; it loses nothing by that
    Pause(One),
    /// Give a consumer its events again
    Resume(One),
    /// Deliver everything after a position again, in its order
    Redeliver {
        #[command(flatten)]
        one: One,
        /// The position, not beyond where the consumer stands
        #[arg(long, value_name = "POSITION")]
        after: u64,
    },
    /// Give a consumer a new key beside the one it has
    Rotate {
        #[command(flatten)]
        one: One,
        /// How long the key of now holds beside the new one, 1s to 7d
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = seconds)]
        overlap: u32,
    },
    /// Deliveries that failed for long and were set aside, and those behind them
    #[command(subcommand)]
    Parked(Parked),
    /// Let a consumer follow no more
    Remove(One),
}

/// A span of time in whole seconds.
fn seconds(text: &str) -> Result<u32, &'static str> {
    span::seconds(text)
        .and_then(|s| u32::try_from(s).ok())
        .ok_or("write a number and d, h, m or s, such as 12h")
}

/// Runs it.
pub async fn run(command: Consumer, client: Client) -> anyhow::Result<Exit> {
    match command {
        Consumer::Add {
            org,
            name,
            kind,
            post_to: url,
            audience,
            start,
            types,
            payload,
            groups,
        } => {
            let kind = match kind {
                Kind::Pull => ConsumerKind::Pull,
                Kind::Webhook => ConsumerKind::Webhook,
                Kind::SetPoll => ConsumerKind::SetPoll,
                Kind::SetPush => ConsumerKind::SetPush,
            };
            let payload = match payload {
                Payload::Full => PayloadMode::Full,
                Payload::Notice => PayloadMode::Notice,
                Payload::Poke => PayloadMode::Poke,
            };
            let mut ids = Vec::new();
            for group in &groups {
                ids.push(who::group(&client, &org, group).await?);
            }
            let groups = ids;
            let new = NewConsumer { name, kind, url, start, audience, types, payload, groups };
            let line = route::ADD_CONSUMER.line(&OrganizationPath::of(org), &Nothing)?;
            added(client.tell(&line, &new).await?, client.json)?;
        }
        Consumer::List { org } => {
            let line = route::LIST_CONSUMERS.line(&OrganizationPath::of(org), &Nothing)?;
            let all: Vec<ConsumerBody> = client.ask(&line).await?;
            if client.json {
                output::json(&all)?;
            } else {
                table(all);
            }
        }
        Consumer::Show(one) => {
            let shown: ConsumerBody =
                client.ask(&route::SHOW_CONSUMER.line(&one.path(), &Nothing)?).await?;
            if client.json {
                output::json(&shown)?;
            } else {
                show(shown);
            }
        }
        Consumer::Pause(one) => {
            client.act(&route::PAUSE_CONSUMER.line(&one.path(), &Nothing)?).await?;
        }
        Consumer::Resume(one) => {
            client.act(&route::RESUME_CONSUMER.line(&one.path(), &Nothing)?).await?;
        }
        Consumer::Redeliver { one, after } => {
            let line = route::REDELIVER.line(&one.path(), &Nothing)?;
            client.act_on(&line, &Redelivery { after }).await?;
        }
        Consumer::Rotate { one, overlap } => {
            let rotation = Rotation { overlap_seconds: Some(overlap) };
            let line = route::ROTATE_CONSUMER.line(&one.path(), &Nothing)?;
            let rotated: ConsumerRotated = client.tell(&line, &rotation).await?;
            if client.json {
                output::json(&rotated)?;
            } else {
                let mut pairs = shown_once(rotated.token, rotated.secret);
                let is_shown = !pairs.is_empty();
                pairs.push(("Old one until", rotated.old_until.to_rfc3339()));
                output::pairs(&pairs);
                if is_shown {
                    say!("\nIt is not shown again.");
                }
            }
        }
        Consumer::Parked(command) => return parked::run(command, client).await,
        Consumer::Remove(one) => {
            client.act(&route::REMOVE_CONSUMER.line(&one.path(), &Nothing)?).await?;
        }
    }
    Ok(Exit::Success)
}

fn added(added: ConsumerAdded, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(&added);
    }
    let asks = added.token.is_some();
    let mut pairs = vec![("Consumer", added.consumer.to_string())];
    pairs.extend(shown_once(added.token, added.secret));
    let signs = added.issuer.is_some();
    pairs.extend(added.issuer.map(|issuer| ("Issuer", issuer)));
    pairs.extend(added.poll_url.map(|poll| ("Poll", poll)));
    if asks && !signs {
        pairs.extend([("Snapshot", added.snapshot_url), ("Feed", added.feed_url)]);
    }
    output::pairs(&pairs);
    say!(
        "\n{}",
        if asks && signs {
            "The receiver sends the token as a bearer token; it is not shown again. The issuer's configuration says where the keys are."
        } else if signs {
            "The issuer's configuration says where the keys are."
        } else if asks {
            "The consumer sends the token as a bearer token; it is not shown again. Begin with the snapshot, go on with the feed after its position."
        } else {
            "What is posted is signed with the secret, as Standard Webhooks has it; it is not shown again."
        }
    );
    Ok(())
}

/// The token, or the secret.
fn shown_once(token: Option<String>, secret: Option<String>) -> Vec<(&'static str, String)> {
    let token = token.map(|token| ("Token", token));
    token.into_iter().chain(secret.map(|secret| ("Secret", secret))).collect()
}

fn table(all: Vec<ConsumerBody>) {
    let row = |c: ConsumerBody| {
        let heard = output::maybe(c.heard_at);
        let types = if c.types.is_empty() { "all".to_owned() } else { c.types.join(",") };
        let (lag, id) = (c.lag_records.to_string(), c.consumer.to_string());
        cells![c.name, c.kind, Cell::state(c.state), types, c.payload, lag, heard, id]
    };
    output::table(
        &["NAME", "KIND", "STATE", "TYPES", "PAYLOAD", "LAG", "HEARD", "ID"],
        &all.into_iter().map(row).collect::<Vec<_>>(),
    );
}

fn show(c: ConsumerBody) {
    let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    output::pairs(&[
        ("Consumer", c.consumer.to_string()),
        ("Name", c.name),
        ("Kind", c.kind),
        ("State", c.state),
        ("Types", if c.types.is_empty() { "all".to_owned() } else { c.types.join(", ") }),
        ("Payload", c.payload),
        ("Groups", groups(&c.groups)),
        ("Place kept here", number(c.position)),
        ("Last asked after", number(c.asked_after)),
        ("Last heard", output::maybe(c.heard_at)),
        ("Posted to", c.url.unwrap_or_else(|| "-".to_owned())),
        ("Audience", c.audience.unwrap_or_else(|| "-".to_owned())),
        ("Issuer", c.issuer.unwrap_or_else(|| "-".to_owned())),
        ("Stopped because", c.stopped.unwrap_or_else(|| "-".to_owned())),
        ("Failed attempts", c.failed_attempts.to_string()),
        ("Next attempt", output::maybe(c.next_attempt_at)),
        ("Set aside", c.parked.to_string()),
        ("Records behind", format!("{} of {}", c.lag_records, c.head)),
        ("Snapshot", c.snapshot_url),
        ("Feed", c.feed_url),
    ]);
}

fn groups(groups: &[Uuid]) -> String {
    match groups {
        [] => "everybody".to_owned(),
        some => some.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", "),
    }
}
