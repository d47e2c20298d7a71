//! What stands around a resource: paths, parameters, encodings. Each test walks a kind.

use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{CONTENT_TYPE, filter};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[tokio::test]
async fn paths_are_decoded_once_and_endpoints_read_in_any_case() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let encoded = USER.replace(':', "%3A");
        let dashes = ada.replace('-', "%2D");
        for path in [
            format!("/Schemas/{encoded}"),
            format!("/schemas/{USER}"),
            format!("/SCHEMAS/{}", encoded.to_lowercase()),
            "/serviceproviderconfig".into(),
            "/RESOURCETYPES/user".into(),
            "/%52esourceTypes".into(),
            format!("/users/{ada}"),
            format!("/Users/{dashes}"),
        ] {
            w.scim.get(&path).await?.expect(200).map_err(|e| e.context(path))?;
        }
        for (path, status) in [
            (format!("/Users/{}", ada.to_uppercase()), 404),
            (format!("/Users/{}", ada.replace('-', "")), 404),
            (format!("/Users/{}", ada.replace('-', "%252D")), 404),
            (format!("/Users%2F{ada}"), 404),
            (format!("/Users/{ada}%00"), 400),
            ("/Users/%zz".into(), 400),
            ("/Users/%ff".into(), 400),
        ] {
            ensure!(w.scim.get(&path).await?.status == status, "{path}");
            if status == 404 {
                for method in ["PUT", "PATCH", "DELETE"] {
                    let body = json!({"userName": "ada@contoso.example", "Operations": [{"op": "add", "path": "title", "value": "T"}]});
                    let answer = w.scim.send(w.scim.request(method, &path).json(CONTENT_TYPE, &body)).await?;
                    ensure!(matches!(answer.status, 404 | 405), "{method} {path}: {answer:?}");
                }
            }
        }
        // The filter and the address say the same about an id.
        let upper = w.scim.get(&format!("/Users?{}", filter(&format!("id eq \"{}\"", ada.to_uppercase())))).await?;
        ensure!(upper.expect_json(200)?["totalResults"] == 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn parameters_that_say_nothing_and_names_of_another_type_are_no_error() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        for query in [
            "count=",
            "startIndex=",
            "count=&startIndex=&excludedAttributes=members",
            "excludedAttributes=members",
        ] {
            let list = w
                .scim
                .get(&format!("/Users?{query}"))
                .await?
                .expect_json(200)
                .map_err(|e| e.context(query.to_owned()))?;
            ensure!(
                list["totalResults"] == 1
                    && list["Resources"][0]["userName"] == "ada@contoso.example",
                "{query}: {list}"
            );
        }
        let joined = w
            .scim
            .get(&format!("/Users/{ada}?attributes=userName&attributes=active,meta"))
            .await?
            .expect_json(200)?;
        ensure!(
            joined["userName"].is_string()
                && joined["active"] == true
                && joined["meta"].is_object(),
            "{joined}"
        );
        let other =
            w.scim.get(&format!("/Users/{ada}?attributes=members")).await?.expect_json(200)?;
        ensure!(other["id"] == ada.as_str() && other.get("userName").is_none(), "{other}");
        refused(w.scim.get("/Users?attributes=nobodyHasThis").await?, 400, Some("invalidPath"))?;
        for odd in ["meta.created gt 15", "meta.lastModified lt 15", "meta.created eq 15"] {
            refused(
                w.scim.get(&format!("/Users?{}", filter(odd))).await?,
                400,
                Some("invalidFilter"),
            )
            .map_err(|e| e.context(odd))?;
        }
        w.scim.operations(&format!("/Users/{ada}"), json!([])).await?.expect(200)?;
        let kept = w.admin.exchanges(&w.acme.id).await?;
        let last = kept.last().context("an exchange")?;
        ensure!(last["interpretations"].to_string().contains("no-operations"), "{last}");
        Ok(())
    })
    .await;
}

/// Group members carry `$ref` and `type` in whatever answer they stand.
#[tokio::test]
async fn members_look_alike_in_every_answer() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let inner = w.scim.create_group("Inner").await?;
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Outer",
            "members": [{"value": ada}, {"value": inner}]});
        let check = |what: &str, group: &Value| -> Result<()> {
            let members = group["members"].as_array().with_context(|| format!("{what}: {group}"))?;
            ensure!(members.len() == 2, "{what}: {group}");
            for (id, kind) in [(&ada, "User"), (&inner, "Group")] {
                let member = members.iter().find(|m| m["value"] == id.as_str()).with_context(|| format!("{what}: {group}"))?;
                let address = member["$ref"].as_str().unwrap_or_default();
                ensure!(member["type"] == kind && address.ends_with(&format!("/{kind}s/{id}")), "{what}: {member}");
            }
            Ok(())
        };
        let created = w.scim.post("/Groups", &body).await?.expect_json(201)?;
        check("POST", &created)?;
        let path = format!("/Groups/{}", created["id"].as_str().context("id")?);
        check("GET", &w.scim.get(&path).await?.expect_json(200)?)?;
        check("PUT", &w.scim.put(&path, &body).await?.expect_json(200)?)?;
        let again = json!({"Operations": [{"op": "replace", "path": "members", "value": [{"value": ada}, {"value": inner}]}]});
        check("PATCH", &w.scim.patch(&format!("{path}?attributes=members"), &again).await?.expect_json(200)?)?;
        let list = w.scim.get(&format!("/Groups?{}", filter("displayName eq \"Outer\""))).await?.expect_json(200)?;
        check("list", &list["Resources"][0])?;
        // What was read is what may be sent back.
        let read = w.scim.get(&path).await?.expect_json(200)?;
        check("PUT of what was read", &w.scim.put(&path, &read).await?.expect_json(200)?)?;
        let back = json!({"Operations": [{"op": "replace", "value": read}]});
        w.scim.patch(&path, &back).await?.expect(204)?;
        Ok(())
    })
    .await;
}

fn packed(how: &str, plain: &[u8]) -> Result<Vec<u8>> {
    Ok(match how {
        "gzip" => {
            let mut to = GzEncoder::new(Vec::new(), Compression::best());
            to.write_all(plain)?;
            to.finish()?
        }
        "deflate" => {
            let mut to = ZlibEncoder::new(Vec::new(), Compression::best());
            to.write_all(plain)?;
            to.finish()?
        }
        _ => {
            let mut to = DeflateEncoder::new(Vec::new(), Compression::best());
            to.write_all(plain)?;
            to.finish()?
        }
    })
}

async fn post(w: &World, coding: &str, body: Vec<u8>) -> Result<Answer> {
    let request = w
        .scim
        .request("POST", "/Users")
        .header("Content-Type", CONTENT_TYPE)
        .header("Content-Encoding", coding);
    w.scim.send(request.body(body)).await
}

#[tokio::test]
async fn compressed_bodies_are_read_within_the_limit() {
    on_sqlite(async |w| {
        let user = |name: &str| {
            json!({"schemas": [USER], "userName": name, "password": "hunter2"})
                .to_string()
                .into_bytes()
        };
        for (n, (coding, how)) in
            [("gzip", "gzip"), ("GZip", "gzip"), ("deflate", "deflate"), ("deflate", "raw")]
                .into_iter()
                .enumerate()
        {
            let name = format!("packed{n}@contoso.example");
            let created = post(w, coding, packed(how, &user(&name))?).await?.expect_json(201)?;
            ensure!(created["userName"] == name, "{created}");
        }
        post(w, "identity", user("plain@contoso.example")).await?.expect(201)?;
        // What is kept is what was said, without the password.
        let kept = w.admin.exchanges(&w.acme.id).await?;
        let id = kept.first().and_then(|x| x["id"].as_str()).context("an exchange")?;
        let shown = w.server.cli(&["exchanges", "show", "--org", "acme", id]).await?.to_string();
        ensure!(shown.contains("packed0@contoso.example") && !shown.contains("hunter2"), "{shown}");
        for coding in ["br", "zstd", "gzip, gzip", "gzip, deflate"] {
            refused(post(w, coding, packed("gzip", &user("x"))?).await?, 415, None)
                .map_err(|e| e.context(coding))?;
        }
        refused(post(w, "gzip", user("x")).await?, 400, Some("invalidSyntax"))?;
        let whole = packed("gzip", &user("x"))?;
        refused(
            post(w, "gzip", whole[..whole.len() / 2].to_vec()).await?,
            400,
            Some("invalidSyntax"),
        )?;
        // A bomb: a few hundred KiB that would be hundreds of MiB.
        let bomb = packed("gzip", &vec![b' '; 256 * 1024 * 1024])?;
        refused(post(w, "gzip", bomb).await?, 413, None)?;
        Ok(())
    })
    .await;
}

/// How long to wait for what comes after an answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_http_cannot_read_is_counted() {
    on_sqlite(async |w| {
        let authority = w.server.address().authority();
        let long = "x".repeat(600_000);
        for (sent, reason) in [
            ("GET /scim/v2/Us ers HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "malformed"),
            ("NONSENSE\r\n\r\n".to_owned(), "malformed"),
            (format!("GET /scim/v2/Users?filter={long} HTTP/1.1\r\nHost: x\r\n\r\n"), "too-large"),
        ] {
            let (began, before) = (Instant::now(), counted(w, reason).await?);
            let mut socket = TcpStream::connect(&authority).await?;
            // The server may have hung up before the last byte.
            let _ = socket.write_all(sent.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer).await;
            // It is counted when the connection has ended, which the client may see first.
            let mut after = counted(w, reason).await?;
            while after == before && began.elapsed() < PATIENCE {
                after = counted(w, reason).await?;
            }
            ensure!(
                after == before + 1,
                "{reason}: {before} and then {after}: {}",
                String::from_utf8_lossy(&answer)
            );
        }
        Ok(())
    })
    .await;
}

async fn counted(w: &World, reason: &str) -> Result<u64> {
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    let name = format!("rollcall_unreadable_requests_total{{reason=\"{reason}\"}} ");
    Ok(metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(Ok(0), str::parse)?)
}
