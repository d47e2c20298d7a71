//! Somebody who lives in an organization, is spoken of there, and can be looked for.

use anyhow::{Context as _, Result};
use rollcall_tests::scim::{Scim, add_members, filter, user};
use rollcall_tests::world::World;
use serde_json::{Value, json};
use std::path::Path;

/// In everything that tells who the person is, and in nothing else.
pub const WORD: &str = "erasable";

/// Somebody of whom every value that tells who they are has a word in it.
pub fn somebody(word: &str) -> Value {
    let mut body = user(&format!("ada.{word}@contoso.example"));
    body["externalId"] = json!(format!("ext-{word}-77"));
    body["displayName"] = json!(format!("Ada {word}"));
    body["name"] =
        json!({"givenName": "Ada", "familyName": word, "formatted": format!("Ada {word}")});
    body["emails"] =
        json!([{"type": "work", "value": format!("ada@{word}.example"), "primary": true}]);
    body["phoneNumbers"] = json!([{"type": "mobile", "value": format!("+49 30 {word}")}]);
    body
}

/// They are asked for, created, changed, asked for again and listed. Gives their id.
pub async fn lives(scim: &Scim, word: &str) -> Result<String> {
    let by_name = filter(&format!("userName eq \"ada.{word}@contoso.example\""));
    scim.get(&format!("/Users?{by_name}")).await?.expect(200)?;
    let made = scim.post("/Users", &somebody(word)).await?.expect_json(201)?;
    let id = made["id"].as_str().context("an id")?.to_owned();
    scim.post("/Users", &somebody(word)).await?.expect(409)?;
    let renamed =
        json!([{"op": "Replace", "path": "displayName", "value": format!("Ada van {word}")}]);
    scim.operations(&format!("/Users/{id}"), renamed).await?.expect(200)?;
    let by_mail = filter(&format!("emails.value eq \"ADA@{word}.example\""));
    scim.get(&format!("/Users?{by_mail}")).await?.expect(200)?;
    Ok(id)
}

/// Everything that Entra and others do about somebody, in ways that name them.
pub async fn a_life(w: &World) -> Result<(String, String, String)> {
    let by_name = filter("userName eq \"ada.erasable@contoso.example\"");
    w.scim.get(&format!("/Users?{by_name}")).await?.expect(200)?;
    let made = w.scim.post("/Users", &somebody("Erasable")).await?.expect_json(201)?;
    let id = made["id"].as_str().context("an id")?.to_owned();
    let bob = w.scim.create_user("bob@contoso.example").await?;
    let group = w.scim.create_group("Server room").await?;
    let both = add_members(&[&id, &bob]);
    w.scim.operations(&format!("/Groups/{group}"), both).await?.expect(204)?;
    // A reviewer names them, in the log of the organization.
    let decide = ["review", "decide", "--org", "acme", "--group", "Server room", "--user", &id];
    let remark = ["--verdict", "note", "--remark", "Ada Erasable has moved"];
    w.server.cli(&[&decide[..], &remark].concat()).await?;
    w.scim.post("/Users", &somebody("Erasable")).await?.expect(409)?;
    w.scim.get(&format!("/Users?{by_name}")).await?.expect(200)?;
    w.scim.get("/Users").await?.expect(200)?;
    w.scim.get(&format!("/Groups/{group}")).await?.expect(200)?;
    w.scim.get(&format!("/Users?{}", filter("emails.value eq \"ADA@ERASABLE.example\""))).await?;
    let renamed = json!([{"op": "Replace", "path": "displayName", "value": "Ada van Erasable"},
        {"op": "Replace", "path": "userName", "value": "ada.v.erasable@contoso.example"}]);
    w.scim.operations(&format!("/Users/{id}"), renamed).await?.expect(200)?;
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "PATCH", "path": format!("/Users/{id}"), "data": {"Operations":
            [{"op": "replace", "path": "nickName", "value": "Erasable Ada"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "c", "data": user("carol@contoso.example")}]});
    w.scim.post("/Bulk", &bulk).await?.expect(200)?;
    // With a token that is none, and with a NUL: what strangers say of somebody.
    let stranger = Scim::anonymous(w.server.address()).with_token("rollcall_scim_none");
    stranger.get(&format!("/Users?{}", filter("userName eq \"bob@contoso.example\""))).await?;
    Ok((id, bob, group))
}

/// Whether the word is in any file below a folder; which.
pub fn files_with_the_word(folder: &Path, word: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_with_the_word(&path, word)?);
        } else if path.is_file() {
            // A socket holds nothing.
            let bytes = std::fs::read(&path)?.to_ascii_lowercase();
            let word = word.to_ascii_lowercase();
            if bytes.windows(word.len()).any(|part| part == word.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(found)
}
