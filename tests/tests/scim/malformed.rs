//! What no client means, at every door: it is refused as what it is, on both stores, and whoever
//! sends too much still gets an answer.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Address, Http, Request};
use rollcall_tests::on_both;
use rollcall_tests::scim::{add_members, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A request and its answer as bytes; all is written before anything is read.
async fn raw(address: &Address, request: Vec<u8>) -> Result<String> {
    let authority = address.authority();
    let answered = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(&request).context("not all could be written")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).context("the answer was cut off")?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    });
    answered.await?
}

fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_request_has_one_host() {
    on_sqlite(async |w| {
        let (address, key) = (w.server.address(), w.server.operator_key()?);
        for path in ["/scim/v2/Users", "/api/v1/organizations", "/saml/acme/metadata", "/"] {
            for (hosts, version, refused) in [
                (vec![], "HTTP/1.1", true),
                (vec!["a.example", "b.example"], "HTTP/1.1", true),
                (vec!["a.example", "a.example"], "HTTP/1.0", true),
                (vec!["a.example"], "HTTP/1.1", false),
                (vec![], "HTTP/1.0", false),
            ] {
                let hosts: String = hosts.iter().map(|h| format!("Host: {h}\r\n")).collect();
                let request = format!(
                    "GET {path} {version}\r\n{hosts}Authorization: Bearer {key}\r\nConnection: close\r\n\r\n"
                );
                let answer = raw(&address, request.into_bytes()).await?;
                let is_refused = status(&answer) == Some(400);
                ensure!(is_refused == refused, "{path} {version} {hosts:?}: {answer}");
            }
        }
        Ok(())
    })
    .await;
}

/// Every place of a request that can name something.
async fn nul_is_refused_everywhere(w: &mut World) -> Result<()> {
    let (address, key) = (w.server.address().clone(), w.server.operator_key()?);
    let token = w.scim.token().context("a token")?.to_owned();
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let group = w.scim.create_group("Doors").await?;
    let heads = w.admin.events_after("acme", 0).await?.len();
    let http = Http::new(address);
    let scim = |method: &str, target: &str, body: Option<Value>| {
        let request = Request::new(method, format!("/scim/v2{target}"))
            .header("Authorization", format!("Bearer {token}"));
        match body {
            Some(body) => request.json("application/scim+json", &body),
            None => request,
        }
    };
    let api = |method: &str, target: &str, body: Option<Value>| {
        let request = Request::new(method, format!("/api/v1{target}"))
            .header("Authorization", format!("Bearer {key}"));
        match body {
            Some(body) => request.json("application/json", &body),
            None => request,
        }
    };
    let form = |target: &str, body: &str| {
        Request::new("POST", target)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body.as_bytes().to_vec())
    };
    let named = |name: &str| Some(user(&format!("a\0{name}")));
    let op = |op: &str, path: &str, value: Value| {
        Some(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": op, "path": path, "value": value}]}))
    };
    let mut odd = user("bob@contoso.example");
    odd["name"] = json!({"givenName": "B\0b"});
    let mut key_of = user("bob@contoso.example");
    key_of["nick\0Name"] = json!("x");
    let add: Value = add_members(&[&format!("{ada}\0")]);
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Users", "bulkId": "b\0", "data": user("x@y.example")}]});
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName eq \"a\0\""});
    let requests = vec![
        scim("GET", "/Users?filter=userName%20eq%20%22a%00%22", None),
        scim("GET", "/Users/a%00", None),
        scim("GET", "/Groups?filter=displayName%20eq%20%22%00%22", None),
        scim("DELETE", "/Users/%00", None),
        scim("POST", "/Users", named("x")),
        scim("POST", "/Users", Some(odd)),
        scim("POST", "/Users", Some(key_of)),
        scim("POST", "/Groups", Some(json!({"displayName": "G\0"}))),
        scim("PUT", &format!("/Users/{ada}"), named("y")),
        scim("PATCH", &format!("/Users/{ada}"), op("replace", "displayName", json!("A\0"))),
        scim("PATCH", &format!("/Users/{ada}"), op("replace", "display\0Name", json!("A"))),
        scim("PATCH", &format!("/Groups/{group}"), Some(json!({"Operations": add}))),
        scim("POST", "/Bulk", Some(bulk)),
        scim("POST", "/.search", Some(search)),
        api("GET", "/organizations/acme/users?name=a%00", None),
        api("GET", "/organizations/a%00cme/users", None),
        api("GET", "/organizations/acme/events?type=%00", None),
        api("POST", "/organizations", Some(json!({"name": "N\0", "domain": "other"}))),
        api("POST", "/organizations", Some(json!({"name": "N", "domain": "oth\0er"}))),
        api("POST", "/organizations/acme/auditors", Some(json!({"label": "L\0"}))),
        api("POST", "/log/accept", Some(json!({"because": "b\0"}))),
        form("/saml/acme/acs", "SAMLResponse=AAAA&RelayState=a%00b"),
        Request::new("GET", "/saml/acme/login?RelayState=%00"),
        Request::new("GET", "/saml/ac%00me/login"),
        form("/scim/oauth/token", "grant_type=client_credentials&client_id=a%00&client_secret=b"),
        Request::new("GET", "/setup/a%00b"),
    ];
    for request in requests {
        let asked = format!("{request:?}");
        let answer = http.send(request).await?;
        ensure!((400..500).contains(&answer.status), "{asked}: {}", answer.text());
        let is_scim = answer.header("content-type") == Some("application/scim+json");
        let at_once = [400, 404, 401].contains(&answer.status);
        ensure!(at_once && (!is_scim || answer.status == 400), "{asked}: {}", answer.status);
    }
    let events = w.admin.events_after("acme", 0).await?;
    ensure!(events.len() == heads, "something was done: {:?}", events.last());
    Ok(())
}

on_both!(nul_is_refused_everywhere);

/// What is answered is about people, or a secret, or of this moment: nobody on the way keeps it.
#[tokio::test]
async fn nobody_on_the_way_keeps_an_answer() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let (token, key) = (w.scim.token().context("a token")?, w.server.operator_key()?);
        let http = Http::new(w.server.address().clone());
        for (target, bearer) in [
            ("/scim/v2/Users".to_owned(), token),
            (format!("/scim/v2/Users/{ada}"), token),
            ("/scim/v2/Users/nobody".to_owned(), token),
            ("/scim/v2/ServiceProviderConfig".to_owned(), token),
            ("/scim/v2/Users".to_owned(), "wrong"),
            ("/api/v1/organizations".to_owned(), key.as_str()),
            ("/api/v1/organizations/acme/users".to_owned(), &key),
            ("/api/v1/organizations/acme/events".to_owned(), &key),
            ("/api/v1/nothing".to_owned(), &key),
            ("/api/v1/session".to_owned(), "none"),
            ("/saml/acme/metadata".to_owned(), "none"),
            ("/".to_owned(), "none"),
            ("/setup".to_owned(), "none"),
            ("/metrics".to_owned(), "none"),
            ("/nowhere".to_owned(), "none"),
        ] {
            let request = Request::new("GET", &target);
            let answer =
                http.send(request.header("Authorization", format!("Bearer {bearer}"))).await?;
            let kept = answer.header("cache-control");
            ensure!(kept == Some("no-store"), "{target}: {} {kept:?}", answer.status);
        }
        Ok(())
    })
    .await;
}

/// A body that is too long is answered, also to a client that writes all of it before it reads.
#[tokio::test]
async fn whoever_sends_too_much_gets_an_answer() {
    on_sqlite(async |w| {
        let (token, key) = (w.scim.token().context("a token")?, w.server.operator_key()?);
        let address = w.server.address();
        let long = "a".repeat(6 * 1024 * 1024);
        let form = "application/x-www-form-urlencoded";
        for (target, media_type, bearer, body) in [
            ("/saml/acme/acs", form, "none", format!("SAMLResponse={long}")),
            ("/scim/oauth/token", form, "none", format!("grant_type={long}")),
            ("/console/sign-in", form, "none", format!("key={long}")),
            ("/setup/link", form, "none", format!("key={long}")),
            ("/scim/v2/Users", "application/scim+json", "wrong", json!({ "a": long }).to_string()),
            ("/scim/v2/Users", "application/scim+json", token, json!({ "a": long.repeat(3) }).to_string()),
            ("/api/v1/organizations", "application/json", &key, json!({ "name": long }).to_string()),
            ("/nowhere", "text/plain", "none", long.clone()),
        ] {
            // Each a few times: what is cut off now and then is cut off.
            for _ in 0..3 {
                let head = format!(
                    "POST {target} HTTP/1.1\r\nHost: x.example\r\nAuthorization: Bearer {bearer}\r\n\
                     Content-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let answer = raw(&address, [head.as_bytes(), body.as_bytes()].concat()).await;
                let answer = answer.with_context(|| format!("POST {target}"))?;
                let status = status(&answer).with_context(|| format!("{target}: {answer:?}"))?;
                ensure!((400..500).contains(&status), "{target}: {answer:.400}");
            }
        }
        Ok(())
    })
    .await;
}
