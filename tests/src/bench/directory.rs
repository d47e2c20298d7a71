//! Directories of a given size, and the requests that are measured on them.

use super::wire::{Driven, Until, Wire, drive, prepare, status_is};
use crate::rng::Rng;
use crate::scim::{filter, id};
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Connections of every load that measures throughput.
pub const CONNECTIONS: usize = 16;

fn token(w: &World) -> Result<&str> {
    w.scim.token().context("no token")
}

/// The userName of the n-th user.
pub(super) fn user_name(n: u64) -> String {
    format!("person{n:07}@contoso.example")
}

/// The externalId of the n-th user.
pub(super) fn external_id(n: u64) -> String {
    format!("ext-{n:07}")
}

/// A user as Entra sends one.
pub(super) fn user_body(n: u64) -> String {
    let (name, external_id) = (user_name(n), external_id(n));
    format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"externalId\":\"{external_id}\",\"userName\":\"{name}\",\"active\":true,\
         \"displayName\":\"Person {n:07}\",\"emails\":[{{\"primary\":true,\"type\":\"work\",\"value\":\"{name}\"}}],\
         \"name\":{{\"givenName\":\"Person\",\"familyName\":\"Number{n:07}\"}},\"meta\":{{\"resourceType\":\"User\"}}}}"
    )
}

/// Creates users from number `first` on, one request each.
pub async fn create_users(w: &World, first: u64, until: Until) -> Result<Driven> {
    let token = token(w)?;
    let authority = w.server.address().authority();
    drive(
        &authority,
        CONNECTIONS,
        until,
        |n| prepare("POST", "/Users", token, &user_body(first + n)),
        status_is(201),
    )
    .await
}

/// Creates `count` users, numbered from 0; gives their ids.
pub async fn fill(w: &World, count: u64) -> Result<(Vec<String>, Driven)> {
    let token = token(w)?;
    let authority = w.server.address().authority();
    let ids = Mutex::new(Vec::with_capacity(usize::try_from(count)?));
    let expected = status_is(201);
    let prepared = |n| prepare("POST", "/Users", token, &user_body(n));
    let driven =
        drive(&authority, CONNECTIONS, Until::Count(count), prepared, |n, status, body| {
            expected(n, status, body)?;
            let id = id(serde_json::from_slice(body)?)?;
            ids.lock().unwrap_or_else(|e| e.into_inner()).push(id);
            Ok(())
        })
        .await?;
    let ids = ids.into_inner().unwrap_or_else(|e| e.into_inner());
    ensure!(ids.len() as u64 == count, "{} users created instead of {count}", ids.len());
    Ok((ids, driven))
}

/// Creates `count` groups of so many of these users each, in turn.
pub async fn create_groups(w: &World, count: u64, members: u64, users: &[String]) -> Result<()> {
    let token = token(w)?;
    let group = |n: u64| {
        let member = |m: u64| {
            let user = &users[(n * members + m) as usize % users.len()];
            format!("{{\"value\":\"{user}\"}}")
        };
        let members: Vec<String> = (0..members).map(member).collect();
        let body = format!(
            "{{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],\"displayName\":\"Door {n:05}\",\"members\":[{}]}}",
            members.join(",")
        );
        prepare("POST", "/Groups", token, &body)
    };
    let authority = w.server.address().authority();
    drive(&authority, CONNECTIONS, Until::Count(count), group, status_is(201)).await.map(drop)
}

/// Entra's matching query for users chosen at random among the first `users`.
pub async fn match_queries(w: &World, users: u64, rng: &mut Rng, time: Duration) -> Result<Driven> {
    let token = token(w)?;
    let authority = w.server.address().authority();
    let targets: Vec<Vec<u8>> = (0..4096)
        .map(|_| {
            prepare(
                "GET",
                &format!(
                    "/Users?{}",
                    filter(&format!("userName eq \"{}\"", user_name(rng.below(users))))
                ),
                token,
                "",
            )
        })
        .collect();
    let expected = status_is(200);
    drive(
        &authority,
        CONNECTIONS,
        Until::Time(time),
        |n| targets[n as usize % targets.len()].clone(),
        |n, status, body| {
            expected(n, status, body)?;
            // Cheap, and yet no empty answer passes for a match.
            ensure!(
                body.windows(16).any(|w| w == b"\"totalResults\":1"),
                "no match in {}",
                String::from_utf8_lossy(body)
            );
            Ok(())
        },
    )
    .await
}

/// The request that adds members to a group, or removes them.
pub(super) fn member_change(group: &str, token: &str, joins: bool, members: &[String]) -> Vec<u8> {
    let op = if joins { "Add" } else { "Remove" };
    let list: Vec<String> = members.iter().map(|id| format!("{{\"value\":\"{id}\"}}")).collect();
    let body = format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{{\"op\":\"{op}\",\"path\":\"members\",\"value\":[{}]}}]}}",
        list.join(",")
    );
    prepare("PATCH", &format!("/Groups/{group}"), token, &body)
}

/// Adds these members one after another, one per request; gives how long each took, in ms.
pub async fn add_one_by_one(w: &World, group: &str, members: &[String]) -> Result<Vec<f64>> {
    let mut wire = Wire::connect(&w.server.address().authority()).await?;
    let mut times = Vec::with_capacity(members.len());
    for member in members {
        times.push(add_one(w, &mut wire, group, member).await?);
    }
    Ok(times)
}

/// Adds these members to two groups, one to the one, then one to the other: both see the same
/// machine at the same time. Gives how long each took, in ms.
pub async fn add_in_turn(
    w: &World,
    groups: [&str; 2],
    members: &[String],
) -> Result<[Vec<f64>; 2]> {
    let mut wire = Wire::connect(&w.server.address().authority()).await?;
    let mut times = [Vec::with_capacity(members.len()), Vec::with_capacity(members.len())];
    for member in members {
        for (group, times) in groups.iter().zip(&mut times) {
            times.push(add_one(w, &mut wire, group, member).await?);
        }
    }
    Ok(times)
}

async fn add_one(w: &World, wire: &mut Wire, group: &str, member: &String) -> Result<f64> {
    let request = member_change(group, token(w)?, true, std::slice::from_ref(member));
    let begun = Instant::now();
    let (status, body) = wire.call(&request).await?;
    ensure!(status == 204, "{status}: {}", String::from_utf8_lossy(body));
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// Adds these members over several connections, `per_request` at a time.
pub async fn add_many(
    w: &World,
    group: &str,
    members: &[String],
    per_request: usize,
) -> Result<Driven> {
    let token = token(w)?;
    let authority = w.server.address().authority();
    let chunks: Vec<&[String]> = members.chunks(per_request).collect();
    let prepared = |n: u64| member_change(group, token, true, chunks[n as usize]);
    drive(&authority, CONNECTIONS, Until::Count(chunks.len() as u64), prepared, status_is(204))
        .await
}
