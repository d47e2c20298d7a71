//! Lists on the command line: a page, or all of them.

use crate::client::Client;
use crate::output::{self, Working};
use clap::Args;
use rollcall_contract::page::{MOST, NEXT_CURSOR, Paged};
use rollcall_contract::request_line::Route;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

/// Which page of a list.
#[derive(Clone, Debug, Args)]
pub struct Paging {
    /// At most so many, 1 to 1000
    #[arg(long, value_name = "N", value_parser = size, conflicts_with = "all")]
    limit: Option<usize>,
    /// All there are, however many
    #[arg(long)]
    all: bool,
    /// The next page: what the page before said
    #[arg(long, value_name = "CURSOR", conflicts_with = "all")]
    cursor: Option<String>,
}

fn size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| (1..=MOST).contains(size));
    size.ok_or_else(|| format!("a page has 1 to {MOST} rows; --all lists every one"))
}

/// A list as it is shown.
pub struct Listing<B> {
    /// What was answered.
    pub body: B,
    /// The cursor of the next page, if there is more.
    pub next: Option<String>,
}

impl<B> Listing<B> {
    /// Says on standard error whether there is more: the list itself does not.
    pub fn more(&self) {
        if let Some(next) = &self.next {
            output::note(&format!("there is more: --cursor {next}, or --all"));
        }
    }
}

/// A body to which more rows can be added.
pub trait Rows {
    /// Adds the rows of the page that follows.
    fn add(&mut self, more: Self);
}

impl<T> Rows for Vec<T> {
    fn add(&mut self, more: Self) {
        self.extend(more);
    }
}

impl Paging {
    /// Asks for a page, or for all of them one after another. A page has `usual` rows if nobody
    /// says.
    pub async fn ask<P, Q, B>(
        &self,
        client: &Client,
        route: &Route<P, Q>,
        path: &P,
        query: &Q,
        usual: usize,
    ) -> anyhow::Result<Listing<B>>
    where
        P: Serialize + IntoParams,
        Q: Paged + IntoParams,
        B: DeserializeOwned + Rows,
    {
        let limit = if self.all { MOST } else { self.limit.unwrap_or(usual) };
        let first = query.turned(limit, self.cursor.clone());
        let (working, mut pages) = (Working::begin("waiting for the server"), 1_u64);
        let (mut body, mut next) = page::<_, _, B>(client, route, path, &first).await?;
        while let (true, Some(cursor)) = (self.all, &next) {
            let following = query.turned(limit, Some(cursor.clone()));
            let (more, then) = page::<_, _, B>(client, route, path, &following).await?;
            body.add(more);
            next = then;
            pages += 1;
            working.at(|| format!("{pages} pages of {MOST}"));
        }
        Ok(Listing { body, next })
    }
}

/// One page, and the cursor of the next.
pub async fn page<P, Q, B>(
    client: &Client,
    route: &Route<P, Q>,
    path: &P,
    query: &Q,
) -> anyhow::Result<(B, Option<String>)>
where
    P: Serialize + IntoParams,
    Q: Paged + IntoParams,
    B: DeserializeOwned,
{
    let answer = client.send(&route.line(path, query)?).await?;
    let cursor = answer.headers().get(NEXT_CURSOR).and_then(|cursor| cursor.to_str().ok());
    let cursor = cursor.map(str::to_owned);
    Ok((Client::read(answer).await?, cursor))
}
