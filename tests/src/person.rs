//! Somebody whose every word is known: so that it can be looked for where it must not be.

use crate::scim::{Scim, add_members, filter, user};
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

/// What says who somebody is. None of it is a word of ours.
pub const WORDS: [&str; 6] = [
    "grace.hopper@sealed.example",
    "Hopper-of-the-navy",
    "grace.the.first@sealed.example",
    "grace.the.stranger@sealed.example",
    "198.51.100.77",
    "grace-in-a-subject@sealed.example",
];

/// Everything that a person comes by: created, looked for, changed, refused, grouped, listed.
pub async fn live(w: &World) -> Result<String> {
    let [name, display, mail, stranger, address, subject] = WORDS;
    let mut grace = user(name);
    grace["displayName"] = json!(display);
    grace["emails"] = json!([{"value": mail, "type": "work", "primary": true}]);
    let made = w.scim.post("/Users", &grace).await?.expect_json(201)?;
    let id = made["id"].as_str().context("an id")?.to_owned();
    w.scim.post("/Users", &grace).await?.expect(409)?;
    for wanted in [name, stranger] {
        let found = filter(&format!("userName eq \"{wanted}\""));
        w.scim.get(&format!("/Users?{found}")).await?.expect(200)?;
    }
    w.scim
        .operations(
            &format!("/Users/{id}"),
            json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": stranger},
                   {"op": "replace", "path": "active", "value": "False"}]),
        )
        .await?
        .expect(200)?;
    let forwarded = w.scim.request("GET", "/Users").header("X-Forwarded-For", address);
    w.scim.send(forwarded).await?.expect(200)?;
    w.scim.get(&format!("/Users/{subject}")).await?.expect(404)?;
    w.scim.get(&format!("/Groups?{}", filter(&format!("displayName eq \"{name}\"")))).await?;
    let door = w.scim.create_group("Door A").await?;
    w.scim.operations(&format!("/Groups/{door}"), add_members(&[&id])).await?.expect(204)?;
    w.scim.get("/Users").await?.expect(200)?;
    // Nobody's, and yet somebody's name.
    let nobody = filter(&format!("userName eq \"{name}\""));
    Scim::anonymous(w.server.address()).get(&format!("/Users?{nobody}")).await?.expect(401)?;
    Ok(id)
}

/// That none of it is among these bytes.
pub fn assert_nowhere(what: &str, bytes: &[u8]) -> Result<()> {
    for word in WORDS {
        for word in [word.to_owned(), word.replace('@', "%40")] {
            let is_there = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            ensure!(!is_there, "{word} stands in {what}");
        }
    }
    Ok(())
}

/// Those who may read still do, and the log is what its ledger says.
pub async fn shown(w: &World, id: &str) -> Result<()> {
    read(w, id).await?;
    let audit = w.server.cli(&["ledger", "audit", "--org", "acme"]).await?;
    ensure!(audit["findings"].as_array().is_some_and(Vec::is_empty), "{audit}");
    Ok(())
}

/// Those who may read still do.
pub async fn read(w: &World, id: &str) -> Result<()> {
    let exchanges = w.admin.exchanges(&w.acme.id).await?;
    let text = exchanges.iter().map(ToString::to_string).collect::<String>();
    ensure!(text.contains("grace.hopper%40sealed.example") && text.contains(WORDS[5]), "{text}");
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    let text = events.iter().map(ToString::to_string).collect::<String>();
    ensure!(text.contains(WORDS[0]) && text.contains(WORDS[1]), "{text}");
    ensure!(w.scim.get(&format!("/Users/{id}")).await?.expect_json(200)?["userName"] == WORDS[0]);
    w.server.cli(&["views", "verify"]).await?;
    w.server.cli(&["replay", "verify", "--org", "acme"]).await?;
    Ok(())
}

/// That none of it is in a table of these schemas. Gives how many rows were looked at.
pub async fn nowhere_in_schemas(url: &str, schemas: &[&str]) -> Result<u64> {
    let mut db = PgConnection::connect(url).await?;
    let tables = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
                  WHERE table_schema = ANY($1) ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).bind(schemas).fetch_all(&mut db).await?;
    let mut searched = 0;
    for table in tables {
        // A row as text has bytes in hexadecimal: both ways of writing are looked for.
        let rows = format!("SELECT t::text FROM {table} t");
        let rows: Vec<String> = sqlx::query_scalar(&rows).fetch_all(&mut db).await?;
        for row in rows {
            searched += 1;
            assert_nowhere(&table, row.as_bytes())?;
            for word in WORDS {
                let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
                ensure!(!row.contains(&hex), "{word} stands in {table} as bytes");
            }
        }
    }
    Ok(searched)
}
