//! `rollcall person export`

use super::readable;
use crate::client::Client;
use crate::part::{Part, check_free};
use crate::who;
use anyhow::Context as _;
use clap::ValueEnum;
use rollcall_contract::people::PersonBody;
use rollcall_contract::repin::PersonPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::Path;

/// How what is known of somebody is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// As the server answers.
    Json,
    /// For the person themselves.
    Text,
}

/// Writes it. The file appears under its name only once it is whole.
pub(super) async fn run(
    client: &Client,
    org: &str,
    user: &str,
    form: Form,
    output: &Path,
) -> anyhow::Result<()> {
    check_free(output)?;
    let user = who::user(client, org, Some(user)).await?.context("a user is needed")?;
    let line =
        route::EXPORT_PERSON.line(&PersonPath { organization: org.to_owned(), user }, &Nothing)?;
    let json = Part::download(output, client.send(&line).await?).await?;
    let file = BufReader::new(File::open(json.path())?);
    let body: PersonBody =
        serde_json::from_reader(file).context("what the server answered is not whole")?;
    if form == Form::Json {
        return json.finish();
    }
    let (part, mut file) = Part::begin(&output.with_extension("readable"))?;
    let cannot = || format!("cannot write {}", output.display());
    file.write_all(readable::text(&body).as_bytes()).with_context(cannot)?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all().with_context(cannot)?;
    json.remove()?;
    std::fs::rename(part.path(), output).with_context(cannot)
}
