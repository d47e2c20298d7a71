//! What real clients, proxies and admins do to a request; each is served, and noted by name.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Answer, Request};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{BASE, CONTENT_TYPE, filter, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

/// The names of the liberties taken to read the last request.
async fn readings(w: &World) -> Result<Vec<String>> {
    let exchanges = w.admin.exchanges(&w.acme.id).await?;
    let last = exchanges.last().context("no exchange")?;
    let list = last["interpretations"].as_array().cloned().unwrap_or_default();
    Ok(list
        .iter()
        .filter_map(|i| i["reading"].as_str().or(i.as_str()))
        .map(str::to_owned)
        .collect())
}

fn bare(w: &World, method: &str, target: &str) -> Request {
    Request::new(method, target)
        .header("Authorization", format!("Bearer {}", w.scim.token().unwrap_or_default()))
}

fn is_scim(answer: &Answer) -> Result<()> {
    let content_type = answer.header("content-type").unwrap_or_default();
    ensure!(
        content_type.starts_with("application/scim+json"),
        "{}: content type {content_type:?}",
        answer.asked
    );
    Ok(())
}

#[tokio::test]
async fn any_accept_header_gets_scim_json() {
    on_sqlite(async |w| {
        for accept in [
            "application/scim+json",
            "application/json",
            "text/html",
            "*/*",
            "application/xml;q=0.9, image/webp",
            "garbage",
        ] {
            let answer = w
                .scim
                .send(w.scim.request("GET", "/Users").header("Accept", accept))
                .await?
                .expect(200)?;
            is_scim(&answer)?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn any_content_type_is_read_as_json_and_noted() {
    on_sqlite(async |w| {
        for (n, (content_type, noted)) in [
            ("application/scim+json", false),
            ("application/json; charset=utf-8", false),
            ("APPLICATION/SCIM+JSON", false),
            ("text/plain", true),
        ]
        .into_iter()
        .enumerate()
        {
            let request = w
                .scim
                .request("POST", "/Users")
                .json(content_type, &user(&format!("u{n}@contoso.example")));
            w.scim.send(request).await?.expect(201)?;
            ensure!(
                readings(w).await?.iter().any(|r| r == "content-type") == noted,
                "{content_type}: {:?}",
                readings(w).await?
            );
        }
        let body = user("none@contoso.example").to_string();
        w.scim.send(w.scim.request("POST", "/Users").body(body)).await?.expect(201)?;
        ensure!(
            readings(w).await?.contains(&"content-type".to_owned()),
            "no content type: {:?}",
            readings(w).await?
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn doubled_slashes_unknown_parameters_and_missing_headers() {
    on_sqlite(async |w| {
        for target in [
            format!("{BASE}//Users"),
            "/scim//v2/Users".to_owned(),
            format!("/{BASE}//Users?count=1"),
        ] {
            let answer = w.scim.send(bare(w, "GET", &target)).await?.expect(200)?;
            is_scim(&answer)?;
            ensure!(
                readings(w).await?.contains(&"doubled-slash".to_owned()),
                "{target}: {:?}",
                readings(w).await?
            );
        }
        let query = filter("userName eq \"nobody\"");
        for target in [
            format!("{BASE}/Users?aadOptscim062020&{query}"),
            format!("{BASE}/Users?{query}&aadOptscim062020"),
            format!("{BASE}/Users/?{query}"),
        ] {
            let list = w.scim.send(bare(w, "GET", &target)).await?.expect_json(200)?;
            ensure!(
                list["totalResults"] == 0 && list["Resources"] == json!([]),
                "{target}: {list}"
            );
        }
        w.scim.get("/Users?aadOptscim062020").await?.expect(200)?;
        ensure!(
            readings(w).await?.contains(&"unknown-parameter".to_owned()),
            "{:?}",
            readings(w).await?
        );
        // The harness sends no User-Agent and no Accept of its own, so every test shows that
        // neither is needed.
        let kept = w.admin.exchanges(&w.acme.id).await?;
        ensure!(
            !kept.is_empty()
                && !kept.iter().any(|x| x.to_string().to_lowercase().contains("user-agent")),
            "a User-Agent was sent"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn liberties_taken_are_noted_by_name() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let bram = w.scim.create_user("bram@contoso.example").await?;
        let door = w.scim.create_group("Door A").await?;
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let (user_path, group_path) = (format!("/Users/{ada}"), format!("/Groups/{door}"));
        let manager = format!("{ENTERPRISE}:manager");
        let cases: [(&str, Value, &[&str]); 7] = [
            (&user_path, json!([{"op": "Replace", "path": "active", "value": "False"}]), &["string-boolean", "operation-case"]),
            (&user_path, json!([{"op": "replace", "path": "DISPLAYNAME", "value": "Ada"}]), &["attribute-case"]),
            (&user_path, json!([{"op": "replace", "value": {"name.givenName": "Ada"}}]), &["key-as-path"]),
            (&user_path, json!([{"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+41"}]), &["value-path-created"]),
            (&user_path, json!([{"op": "add", "path": manager, "value": bram}]), &["manager-as-string"]),
            (&user_path, json!([{"op": "replace", "path": "title", "value": ""}]), &["empty-as-unassigned"]),
            (
                &group_path,
                json!([{"op": "remove", "path": "members", "value": [{"value": bram}]}]),
                &["member-removal-by-value", "remove-absent"],
            ),
        ];
        for (path, operations, expected) in cases {
            let answer = w.scim.operations(path, operations.clone()).await?;
            ensure!(answer.status == 200 || answer.status == 204, "{operations}: {} {}", answer.status, answer.text());
            let found = readings(w).await?;
            for name in expected {
                ensure!(found.iter().any(|r| r == name), "{operations}: {name} is not among {found:?}");
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_name_that_stands_twice_is_not_guessed_about() {
    on_sqlite(async |w| {
        for body in [
            r#"{"userName":"a@x","active":false,"active":true}"#,
            r#"{"userName":"a@x","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":123456789012345678901}}"#,
        ] {
            let request = w.scim.request("POST", "/Users").header("Content-Type", CONTENT_TYPE).body(body.to_owned());
            refused(w.scim.send(request).await?, 400, Some("invalidSyntax"))?;
        }
        for query in ["filter", "count=1&count=2", "filter=userName+pr&FILTER=active+pr"] {
            refused(w.scim.get(&format!("/Users?{query}")).await?, 400, Some("invalidValue"))?;
        }
        w.scim.get("/Users?count=1&count=1&cursor").await?.expect(200)?;
        let token = w.scim.token().unwrap_or_default();
        let twice = w.scim.request("GET", "/Users").header("Authorization", format!("Bearer {token}"));
        refused(w.scim.send(twice).await?, 401, None)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn head_is_a_get_without_a_body_and_405_says_what_is_allowed() {
    on_sqlite(async |w| {
        let id = w.scim.create_user("ada@contoso.example").await?;
        let head =
            w.scim.send(w.scim.request("HEAD", &format!("/Users/{id}"))).await?.expect(200)?;
        ensure!(head.text().is_empty() && head.header("etag") == Some("W/\"1\""), "{head:?}");
        for (path, allowed) in
            [("/Users", "GET, HEAD, POST"), ("/Bulk", "POST"), ("/Schemas", "GET, HEAD")]
        {
            let answer = w.scim.send(w.scim.request("PUT", path)).await?;
            ensure!(
                answer.status == 405 && answer.header("allow") == Some(allowed),
                "{path}: {answer:?}"
            );
        }
        Ok(())
    })
    .await;
}
