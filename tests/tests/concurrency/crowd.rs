//! Reading a group of many members, while it changes and while others ask.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::{Scim, add_members, filter, user};
use rollcall_tests::world::World;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// More than two pages of members.
const MEMBERS: usize = 2_500;
/// So many swaps of one member for another.
const SWAPS: usize = 60;

async fn people(w: &World, count: usize) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let all: Vec<_> = (0..count)
        .map(|n| {
            json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"),
                "data": user(&format!("person{n}@contoso.example"))})
        })
        .collect();
    for part in all.chunks(500) {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": part});
        let made = w.scim.post("/Bulk", &body).await?.expect_json(200)?;
        for one in made["Operations"].as_array().context("operations")? {
            let location = one["location"].as_str().with_context(|| format!("{one}"))?;
            ids.push(location.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }
    Ok(ids)
}

/// Each change takes one out and another in, so that a reader who saw a part of it would see one
/// too many or too few. A neighbour goes on meanwhile, and is refused nothing.
async fn a_large_group_is_read_as_it_stood(w: &World) -> Result<()> {
    let ids = people(w, MEMBERS + SWAPS).await?;
    let group = w.scim.create_group("Everybody").await?;
    let target = format!("/Groups/{group}");
    for part in ids[..MEMBERS].chunks(500) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        w.scim.operations(&target, add_members(&part)).await?.expect(204)?;
    }
    let token = w.scim.token().context("a token")?;
    let another = w.server.cli(&["org", "create", "Other", "--domain", "other"]).await?;
    ensure!(another["domain"] == "other", "{another}");
    let issued = w.server.cli(&["scim", "token", "issue", "--org", "other"]).await?;
    let neighbour = Scim::anonymous(w.server.address())
        .with_token(issued["token"].as_str().context("a token")?);
    let (is_over, read) = (AtomicBool::new(false), AtomicUsize::new(0));
    let readers = (0..3).map(|_| async {
        let scim = Scim::anonymous(w.server.address()).with_token(token);
        while !is_over.load(Ordering::SeqCst) {
            let shown = scim.get(&target).await?.expect_json(200)?;
            let members = shown["members"].as_array().context("members")?;
            let ids: BTreeSet<&str> = members.iter().filter_map(|m| m["value"].as_str()).collect();
            ensure!(members.len() == MEMBERS && ids.len() == MEMBERS, "{} members", members.len());
            read.fetch_add(1, Ordering::SeqCst);
        }
        anyhow::Ok(())
    });
    let swaps = async {
        for n in 0..SWAPS {
            let swap = json!([
                { "op": "remove", "path": format!("members[value eq \"{}\"]", ids[n * 7]) },
                { "op": "add", "path": "members", "value": [{ "value": ids[MEMBERS + n] }] },
            ]);
            w.scim.operations(&target, swap).await?.expect(204)?;
            let asked = filter("userName eq \"nobody@contoso.example\"");
            neighbour.get(&format!("/Users?{asked}")).await?.expect(200)?;
        }
        is_over.store(true, Ordering::SeqCst);
        anyhow::Ok(())
    };
    let (swapped, all_read) = tokio::join!(swaps, futures::future::join_all(readers));
    is_over.store(true, Ordering::SeqCst);
    swapped?;
    all_read.into_iter().collect::<Result<()>>()?;
    ensure!(read.load(Ordering::SeqCst) > 0, "nobody read the group");
    Ok(())
}

rollcall_tests::on_both!(a_large_group_is_read_as_it_stood);
