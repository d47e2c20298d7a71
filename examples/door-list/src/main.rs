//! An application that Rollcall works for: doors, and who may open them.
//!
//! It keeps its own list of people and memberships from a snapshot and the feed, signs people in by
//! Rollcall's session, and ends sessions when events say so. It answers whether somebody may open a
//! door now, and refuses to guess when it cannot know.

mod clock;
mod event;
mod follow;
mod list;
mod rollcall;
mod session;
mod web;

use anyhow::{Context as _, Result};
use clap::Parser;
use list::List;
use rollcall::Rollcall;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Doors that open for whom Rollcall says so.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; on port 0 the address is printed
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Rollcall, as this process reaches it
    #[arg(long, value_name = "ADDRESS")]
    rollcall: String,
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Name of the consumer: rollcall consumer add --kind pull
    #[arg(long, default_value = "doors")]
    consumer: String,
    /// The token that consumer add printed
    #[arg(long, env = "ROLLCALL_TOKEN", hide_env_values = true)]
    token: String,
    /// What door controllers send as a bearer token
    #[arg(long, env = "DOOR_LIST_KEY", hide_env_values = true)]
    key: String,
    /// A door and the id of the group whose members may open it: server-room=ID
    #[arg(long = "door", value_name = "DOOR=GROUP", value_parser = door, required = true)]
    doors: Vec<(String, String)>,
    /// Where the list is kept
    #[arg(long, default_value = "doors.db")]
    data: PathBuf,
    /// Where people sign in, as browsers reach it: https://rollcall.example.com/saml/SLUG/login
    #[arg(long, value_name = "ADDRESS")]
    sign_in: String,
    /// This application, as browsers reach it, on the same host as Rollcall
    #[arg(long, value_name = "ADDRESS")]
    address: String,
    /// For so many seconds an answer may rest on what was known to be complete
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(2..))]
    trust: u64,
}

fn door(text: &str) -> Result<(String, String), &'static str> {
    let (door, group) = text.split_once('=').ok_or("write DOOR=GROUP")?;
    Ok((door.to_owned(), group.to_owned()))
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    anyhow::ensure!(options.key.len() >= 16, "a controller's key has 16 characters or more");
    let list = Arc::new(List::open(&options.data)?);
    let rollcall = Rollcall::new(
        &options.rollcall,
        &options.org,
        &options.consumer,
        options.token,
        options.trust,
    )?;
    let doors: BTreeMap<_, _> = options.doors.into_iter().collect();
    let site = web::Site {
        list: list.clone(),
        rollcall: rollcall.clone(),
        doors,
        key: session::sha256_hex(&options.key),
        sign_in: options.sign_in,
        address: options.address,
        trust: Duration::from_secs(options.trust),
    };
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    println!("http://{}", listener.local_addr()?);
    tokio::select! {
        served = axum::serve(listener, web::router(site)) => served.context("serving ended"),
        refused = follow::follow(&rollcall, &list) => Err(refused).context("following ended"),
    }
}
