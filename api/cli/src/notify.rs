//! `rollcall notify` and `rollcall attention`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::{Cell, Tone};
use crate::say;
use clap::{Args, Subcommand};
use rollcall_contract::attention::{NeedBody, NotificationsBody, RecipientsChange, ToldBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// Who is told by mail what needs somebody
#[derive(Debug, Subcommand)]
pub enum Notify {
    /// Show who is told, and what they were told
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Tell somebody from now on
    Add(Recipient),
    /// Tell somebody no more
    Remove(Recipient),
    /// Send a test to all who are told
    Test {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Somebody who is told.
#[derive(Debug, Args)]
pub struct Recipient {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Their address
    #[arg(long, value_name = "ADDRESS")]
    mail: String,
}

/// List what needs somebody in an organization now; exit code 1 if anything does
#[derive(Debug, Args)]
pub struct Attention {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
}

/// `rollcall notify`
pub async fn run(command: Notify, client: Client) -> anyhow::Result<Exit> {
    let body: NotificationsBody = match command {
        Notify::List { org } => {
            let path = OrganizationPath::of(org);
            client.ask(&route::SHOW_NOTIFICATIONS.line(&path, &Nothing)?).await?
        }
        Notify::Add(Recipient { org, mail }) => {
            let change = RecipientsChange { add: vec![mail], ..RecipientsChange::default() };
            changed(&client, org, &change).await?
        }
        Notify::Remove(Recipient { org, mail }) => {
            let change = RecipientsChange { remove: vec![mail], ..RecipientsChange::default() };
            changed(&client, org, &change).await?
        }
        Notify::Test { org } => {
            let path = OrganizationPath::of(org);
            client.act(&route::TEST_NOTIFICATIONS.line(&path, &Nothing)?).await?;
            if !client.json {
                say!("the mail server has taken a mail to each");
            }
            return Ok(Exit::Success);
        }
    };
    if client.json {
        output::json(&body)?;
        return Ok(Exit::Success);
    }
    match body.recipients.is_empty() {
        true => say!("nobody is told"),
        false => say!("Told: {}", body.recipients.join(", ")),
    }
    if !body.can_send {
        output::note("no mail is sent: this server was started without --smtp-url");
    }
    if !body.told.is_empty() {
        say!();
        output::table(
            &["OF WHAT", "FIRST TOLD", "LAST TOLD", "STATE"],
            &body.told.into_iter().map(told).collect::<Vec<_>>(),
        );
    }
    Ok(Exit::Success)
}

async fn changed(
    client: &Client,
    org: String,
    change: &RecipientsChange,
) -> anyhow::Result<NotificationsBody> {
    let line = route::CHANGE_RECIPIENTS.line(&OrganizationPath::of(org), &Nothing)?;
    client.tell(&line, change).await
}

fn told(told: ToldBody) -> Vec<Cell> {
    let ToldBody { cause, first_told_at, told_at, lasts } = told;
    let (tone, state) = if lasts { (Tone::Bad, "lasts") } else { (Tone::Faint, "right again") };
    let (first, last) = (output::instant(first_told_at), output::instant(told_at));
    cells![cause.as_str().to_owned(), first, last, Cell::toned(tone, state.to_owned())]
}

/// `rollcall attention`
pub async fn attention(command: Attention, client: Client) -> anyhow::Result<Exit> {
    let path = OrganizationPath::of(command.org);
    let needs: Vec<NeedBody> = client.ask(&route::LIST_NEEDS.line(&path, &Nothing)?).await?;
    let exit = if needs.is_empty() { Exit::Success } else { Exit::Difference };
    if client.json {
        output::json(&needs)?;
        return Ok(exit);
    }
    if needs.is_empty() {
        say!("nothing needs anybody");
        return Ok(exit);
    }
    let row = |need: NeedBody| {
        let count = format!("{}{}", need.count, if need.more { "+" } else { "" });
        let since = output::maybe(need.since);
        vec![need.cause.as_str().to_owned(), count, since, need.detail, need.page]
    };
    output::table(
        &["CAUSE", "COUNT", "SINCE", "WHAT", "PAGE"],
        &needs.into_iter().map(row).collect::<Vec<_>>(),
    );
    Ok(exit)
}
