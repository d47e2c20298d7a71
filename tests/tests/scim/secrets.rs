//! Secrets are nowhere: not in the log, not in the views, not in what the server prints.

use anyhow::{Result, ensure};
use rollcall_tests::scim::{CONTENT_TYPE, form_encode, user};
use rollcall_tests::world::{World, issue, on_sqlite};
use serde_json::json;
use std::path::{Path, PathBuf};

#[tokio::test]
async fn tokens_and_passwords_are_in_no_file_and_no_metric() {
    on_sqlite(async |w| {
        const PASSWORD: &str = "correct-horse-battery-staple-93";
        const STRAY: &str = "stray-secret-in-the-wrong-place-71";
        let second = issue(&w.server, "acme").await?;
        let token = w.scim.token().unwrap_or_default().to_owned();
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let with_password = json!({"userName": "eve@contoso.example", "password": PASSWORD});
        w.scim.with_token(&second.secret).post("/Users", &with_password).await?.expect(201)?;
        w.scim
            .operations(&format!("/Users/{ada}"), json!([{"op": "replace", "path": "password", "value": PASSWORD}]))
            .await?
            .expect(200)?;
        w.scim.operations(&format!("/Users/{ada}"), json!([{"op": "replace", "value": {"Password": PASSWORD}}])).await?.expect(200)?;
        let nested = json!({"userName": "x", "name": {"password": PASSWORD}, "emails": [{"value": "a", "password": PASSWORD}]});
        w.scim.post("/Users", &nested).await?.expect(400)?;
        spell_it_otherwise(w, &ada, PASSWORD).await?;
        let bulk = json!({"Operations": [{"method": "POST", "path": "/Users", "bulkId": "b", "data": {"userName": "bulk@contoso.example", "password": PASSWORD}}]});
        w.scim.post("/Bulk", &bulk).await?.expect(200)?;
        // Broken JSON cannot be searched for members by name, and yet its secrets must not stay.
        let broken = format!("{{\"userName\":\"x\",\"password\":\"{PASSWORD}\",");
        w.scim.send(w.scim.request("POST", "/Users").header("Content-Type", CONTENT_TYPE).body(broken)).await?.expect(400)?;
        w.scim.with_token(STRAY).get("/Users").await?.expect(401)?;
        w.scim.get(&format!("/Users?access_token={STRAY}&count=1")).await?;
        w.scim.get(&format!("/Users?access%5Ftoken={STRAY}&count=1")).await?;
        let cookie = w
            .scim
            .request("GET", "/Users")
            .header("Cookie", format!("session={STRAY}"))
            .header("Proxy-Authorization", format!("Basic {STRAY}"));
        w.scim.send(cookie).await?.expect(200)?;
        w.scim.post("/Users", &user("last@contoso.example")).await?.expect(201)?;
        let metrics = w.admin.get("/metrics").await?.expect(200)?.body;

        let operator = w.server.operator_key()?;
        let exchanges = w.admin.exchanges(&w.acme.id).await?;
        let mut listed = exchanges.iter().map(ToString::to_string).collect::<String>();
        // Bodies are sealed where they lie: they are looked at as those see them who may.
        for exchange in &exchanges {
            let id = exchange["id"].as_str().unwrap_or_default();
            listed += &w.server.cli(&["exchanges", "show", "--org", "acme", id]).await?.to_string();
        }
        ensure!(listed.contains("eve@contoso.example"), "the bodies are not among what is searched");
        // Everything reaches the files once the server has ended.
        ensure!(w.server.terminate().await?.success(), "the server did not end well");
        let mut haystacks = vec![(PathBuf::from("/metrics"), metrics.to_vec()), (PathBuf::from("exchanges list"), listed.into_bytes())];
        haystacks.push((w.server.log_file(), std::fs::read(w.server.log_file())?));
        read_all(&w.server.data(), &mut haystacks)?;
        ensure!(haystacks.iter().any(|(_, bytes)| contains(bytes, "ada@contoso.example")), "the log is not among the files searched");
        for (path, bytes) in &haystacks {
            for (what, secret) in
                [("a token", token.as_str()), ("a token", &second.secret), ("a password", PASSWORD), ("a stray secret", STRAY)]
            {
                ensure!(!contains(bytes, secret), "{what} stands in {}", path.display());
            }
            ensure!(path.ends_with("operator.key") || !contains(bytes, &operator), "the operator key stands in {}", path.display());
        }
        Ok(())
    })
    .await;
}

/// What a client may write for `password`: no spelling is kept, whether it is applied or refused.
async fn spell_it_otherwise(w: &World, user: &str, password: &str) -> Result<()> {
    let long = format!("{password}{}", "x".repeat(70_000));
    let urn = "urn:contoso:scim:2.0:User";
    let bodies = [
        format!(r#"{{"userName":"a1","PassWord":"{password}"}}"#),
        format!(r#"{{"userName":"a2"," password ":"{password}"}}"#),
        format!(r#"{{"userName":"a3","password":"{password}","password":null}}"#),
        format!(r#"{{"userName":"a4","password":{{"value":"{password}"}}}}"#),
        format!(r#"{{"userName":"a5","password":"{long}"}}"#),
        format!(r#"{{"userName":"a6","{urn}":{{"vault":{{"password":["{password}"]}}}}}}"#),
        format!(r#"{{"userName":"a7","{urn}:password":"{password}"}}"#),
        format!(r#"{{"userName":"a8","\u0070assword":"{password}"}}"#),
        format!(r#"{{"userName":"a9","title":{{"password":"{password}"}}}}"#),
    ];
    let operations = [
        format!(r#"{{"op":"replace","path":" Password ","value":"{password}"}}"#),
        format!(r#"{{"OP":"replace","PATH":"PASSWORD","VALUE":"{password}"}}"#),
        format!(r#"{{"op":"add","path":"{urn}:vault.password","value":"{password}"}}"#),
        format!(
            r#"{{"op":"add","path":"{urn}:vault","value":{{"password":"{password}","door":"B"}}}}"#
        ),
        format!(
            r#"{{"op":"replace","path":"password","path":"title","value":"{password}","value":"Dr"}}"#
        ),
        format!(
            r#"{{"op":"replace","path":"emails[password eq \"{password}\"].value","value":"a"}}"#
        ),
        format!(r#"{{"op":"remove","path":"password[value eq \"{password}\"]"}}"#),
        format!(
            r#"{{"op":"replace","path":"{urn}:vault[password eq \"{password}\"].door","value":"a"}}"#
        ),
        format!(r#"{{"op":"remove","path":"{urn}:vault[password eq \"{password}\"]"}}"#),
        format!(r#"{{"op":"remove","path":"password eq {password}"}}"#),
        format!(r#"{{"op":"remove","path":"members[password eq \"{password}\"]"}}"#),
        format!(r#"{{"op":"replace","path":"password","value":"{long}"}}"#),
        format!(r#"{{"op":"replace","path":"password.value","value":"{password}"}}"#),
    ];
    let patches = operations.map(|operation| format!(r#"{{"Operations":[{operation}]}}"#));
    let path = format!("/Users/{user}");
    let posts = bodies.into_iter().map(|body| ("POST", "/Users", body));
    for filter in [
        format!("password eq \"{password}\""),
        format!("not (password sw {password})"),
        format!("emails[password eq \"{password}\"]"),
    ] {
        let answer = w.scim.get(&format!("/Users?filter={}", form_encode(&filter))).await?;
        ensure!(
            answer.status == 400 && !contains(&answer.body, password),
            "{filter}: {}",
            answer.text()
        );
    }
    for (method, path, body) in
        posts.chain(patches.into_iter().map(|body| ("PATCH", path.as_str(), body)))
    {
        let answer = w
            .scim
            .send(
                w.scim
                    .request(method, path)
                    .header("Content-Type", CONTENT_TYPE)
                    .body(body.clone()),
            )
            .await?;
        ensure!(matches!(answer.status, 200 | 201 | 204 | 400), "{} for {body}", answer.status);
        ensure!(
            !contains(&answer.body, password),
            "the answer to {body} has the password: {}",
            answer.text()
        );
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn files_of_the_data_folder_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    on_sqlite(async |w| {
        let mode = std::fs::metadata(w.server.data().join("operator.key"))?.permissions().mode();
        ensure!(mode & 0o077 == 0, "operator.key has mode {mode:o}");
        Ok(())
    })
    .await;
}

fn read_all(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path, into)?;
        } else {
            let bytes = std::fs::read(&path)?;
            into.push((path, bytes));
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|w| w == needle.as_bytes())
}
