//! What an attacker does: forms from elsewhere, other organizations, other people's rights, links
//! that are used up, sessions that are not theirs, names that are markup.

use super::visitor::{OURS, Site, form};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::world::{issue, organization};
use serde_json::json;

/// Every form of the console that changes something, with the pages that have it.
const FORMS: [&str; 28] = [
    "/",
    "/o/acme/failures/00000000-0000-0000-0000-000000000001/try",
    "/o/acme/failures/00000000-0000-0000-0000-000000000001/apply",
    "/o/acme/sessions/00000000-0000-0000-0000-000000000001/end",
    "/o/acme/connection/sso",
    "/o/acme/connection/scim",
    "/o/acme/connection/token",
    "/o/acme/connection/token/00000000-0000-0000-0000-000000000001",
    "/o/acme/consumers/00000000-0000-0000-0000-000000000001",
    "/o/acme/consumers/00000000-0000-0000-0000-000000000001/parked",
    "/o/acme/consumers/00000000-0000-0000-0000-000000000001/parked/1.1",
    "/o/acme/notifications",
    "/o/acme/access/link",
    "/o/acme/access/link/00000000-0000-0000-0000-000000000001",
    "/o/acme/access/auditor/00000000-0000-0000-0000-000000000001",
    "/o/acme/access/admin/00000000-0000-0000-0000-000000000001",
    "/o/acme/access/session/00000000-0000-0000-0000-000000000001",
    "/o/acme/credentials",
    "/o/acme/credentials/00000000-0000-0000-0000-000000000001",
    "/o/acme/access/group",
    "/o/acme/access/group/00000000-0000-0000-0000-000000000001",
    "/o/acme/review/decide",
    "/sign-in/organization/acme",
    "/setup/acme/metadata",
    "/setup/acme/certificate",
    "/setup/acme/token",
    "/sign-out",
    "/sign-in",
];

/// What auditors may send as well: to come and go, and to say what came of a review.
const OPEN_TO_AUDITORS: [&str; 4] =
    ["/sign-in", "/sign-out", "/sign-in/organization/acme", "/o/acme/review/decide"];

const PAGES: [&str; 25] = [
    "",
    "/runs",
    "/users",
    "/groups",
    "/changes",
    "/failures",
    "/requests",
    "/logins",
    "/sessions",
    "/review",
    "/evidence",
    "/connection",
    "/consumers",
    "/consumers/00000000-0000-0000-0000-000000000001",
    "/consumers/00000000-0000-0000-0000-000000000001/parked",
    "/access",
    "/notifications",
    "/live",
    "/live/stream",
    "/review/download",
    "/review/findings",
    "/review/findings?find=leavers",
    "/review/findings/download",
    "/reads",
    "/credentials",
];

fn invite<'a>(org: &'a str, role: &'a str) -> [&'a str; 8] {
    ["console", "invite", "--org", org, "--role", role, "--label", "Ada"]
}

async fn tell(story: impl AsyncFnOnce(&Site) -> Result<()>) {
    let told = async {
        let (site, _) = Site::with_acme().await?;
        organization(&site.server, "Globex", "globex").await?;
        story(&site).await
    };
    if let Err(e) = told.await {
        panic!("{e:?}");
    }
}

#[tokio::test]
async fn forms_from_elsewhere_change_nothing() {
    tell(async |site| {
        let mut admin = site.by_link(&invite("acme", "admin")).await?;
        let token = admin.token("/o/acme").await?;
        let fields = [("token", token.as_str()), ("do", "generate")];
        let said: [(&str, &[(&str, &str)]); 7] = [
            (
                "another site",
                &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
            ),
            ("another host of the site", &[("Sec-Fetch-Site", "same-site")]),
            ("the address bar", &[("Sec-Fetch-Site", "none")]),
            ("a sandbox", &[("Origin", "null")]),
            ("another port", &[("Origin", "http://127.0.0.1:1")]),
            ("nowhere", &[]),
            ("another site that says nothing", &[("Referer", "https://evil.example/")]),
        ];
        for target in FORMS {
            for (where_from, headers) in said {
                let mut request = form(target, &fields);
                for (name, value) in headers {
                    request = request.header(name, *value);
                }
                let status = admin.send(request).await?.status;
                ensure!(status == 403, "{target} from {where_from} is answered {status}");
            }
            // From here, and without the token of the session, or with that of another.
            for token in ["", "0"] {
                if target.starts_with("/sign-in") {
                    continue;
                }
                let status = admin.post(target, &[("token", token)]).await?.status;
                ensure!(status == 403, "{target} with the token {token:?} is answered {status}");
            }
        }
        let saml = site.server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(saml["certificates"] == json!([]), "{saml}");
        // A browser of before Fetch Metadata says its origin.
        let request = form("/o/acme/connection/sso", &fields).header("Origin", &site.url);
        admin.send(request).await?.expect(303)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn auditors_change_nothing_and_nobody_sees_another_organization() {
    tell(async |site| {
        let mut auditor = site.by_link(&invite("acme", "auditor")).await?;
        let token = auditor.token("/o/acme").await?;
        for target in FORMS.into_iter().filter(|target| !OPEN_TO_AUDITORS.contains(target)) {
            let status =
                auditor.post(target, &[("token", &token), ("confirm", "acme")]).await?.status;
            ensure!(status == 403, "an auditor's {target} is answered {status}");
        }
        for role in ["auditor", "admin"] {
            let mut visitor = site.by_link(&invite("acme", role)).await?;
            for page in PAGES {
                let status = visitor.get(&format!("/o/globex{page}")).await?.status;
                ensure!(status == 404, "{role}: /o/globex{page} is answered {status}");
            }
            let status = visitor.get("/setup/globex").await?.status;
            ensure!(status == 404, "{role}: the setup of globex is answered {status}");
            let home = visitor.get("/").await?.expect(303)?;
            ensure!(home.header("location") == Some("/o/acme"));
        }
        let mut setter = site.by_link(&["setup", "link", "--org", "acme"]).await?;
        for page in PAGES {
            let answer = setter.get(&format!("/o/acme{page}")).await?.expect(303)?;
            ensure!(answer.header("location") == Some("/setup/acme"), "{page}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_link_lets_in_once_and_one_page_says_that_it_does_not() {
    tell(async |site| {
        let org = "acme";
        let page = |answer: rollcall_tests::http::Answer| {
            Ok::<_, anyhow::Error>(answer.expect(404)?.text())
        };
        let unknown =
            page(site.visitor().redeem(&format!("{}/open#rollcall_link_x", site.url)).await?)?;
        let used = site.link(&invite(org, "admin")).await?;
        // Two at the same moment: one of them is let in.
        let (mut one, mut two) = (site.visitor(), site.visitor());
        let (first, second) = tokio::join!(one.redeem(&used), two.redeem(&used));
        let mut statuses = [first?.status, second?.status];
        statuses.sort_unstable();
        ensure!(statuses == [303, 404], "{statuses:?}");
        ensure!(page(site.visitor().redeem(&used).await?)? == unknown, "a used link");
        let revoked = site.server.cli(&invite(org, "admin")).await?;
        let id = revoked["link_id"].as_str().context("link_id")?;
        site.server.cli(&["console", "revoke", "--org", org, id]).await?;
        let revoked = revoked["url"].as_str().context("url")?;
        ensure!(page(site.visitor().redeem(revoked).await?)? == unknown, "a revoked link");
        // The exchange says which it was; the page does not.
        let list = ["exchanges", "list", "--org", org, "--strangers"];
        let said = site.server.cli(&list).await?.to_string();
        ensure!(said.contains("link-used") && said.contains("link-revoked"), "{said}");
        // A setup link is none for the console, and the other way round.
        let setup = site.link(&["setup", "link", "--org", org]).await?;
        let other = setup.replace("/setup#", "/open#");
        ensure!(page(site.visitor().redeem(&other).await?)? == unknown, "a setup link elsewhere");
        site.visitor().redeem(&setup).await?.expect(303)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn sessions_are_new_listed_and_over_with_their_key() {
    tell(async |site| {
        // Whatever cookie somebody was given before, they get another.
        let mut victim = site.visitor();
        victim.cookie = Some("rcc_planted".to_owned());
        let made = site.server.cli(&invite("acme", "admin")).await?;
        victim.redeem(made["url"].as_str().context("url")?).await?.expect(303)?;
        ensure!(victim.cookie.as_deref() != Some("rcc_planted"));
        victim.get("/o/acme").await?.expect(200)?;
        let sessions = site.server.cli(&["console", "sessions", "--org", "acme"]).await?;
        ensure!(sessions[0]["live"] == true && sessions[0]["label"] == "Ada", "{sessions}");
        // Revoking the link ends what came in by it.
        let id = made["link_id"].as_str().context("link_id")?;
        site.server.cli(&["console", "revoke", "--org", "acme", id]).await?;
        victim.get("/o/acme").await?.expect(303)?;
        // A session that is ended is over at once.
        let mut other = site.by_link(&invite("acme", "admin")).await?;
        let sessions = site.server.cli(&["console", "sessions", "--org", "acme"]).await?;
        let id = sessions[0]["session_id"].as_str().context("session_id")?;
        site.server.cli(&["console", "end", "--org", "acme", id]).await?;
        other.get("/o/acme").await?.expect(303)?;
        // Who signed in and out is in the log.
        let mut third = site.by_link(&invite("acme", "auditor")).await?;
        let token = third.token("/o/acme").await?;
        let before = third.clone();
        third.post("/sign-out", &[("token", &token)]).await?.expect(303)?;
        ensure!(third.cookie.is_none());
        before.clone().get("/o/acme").await?.expect(303)?;
        let said = site.server.cli(&["exchanges", "list", "--org", "acme"]).await?.to_string();
        ensure!(said.contains("console.open-link") && said.contains("console.sign-out"), "{said}");
        // A SCIM token opens nothing here.
        let scim = issue(&site.server, "acme").await?.secret;
        site.visitor().post("/sign-in", &[("key", &scim)]).await?.expect(401)?;
        let key = site.server.operator_key()?;
        let mut operator = site.visitor();
        operator.post("/sign-in", &[("key", &key), ("to", "//evil.example")]).await?.expect(303)?;
        operator.get("/").await?.expect(200)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn names_are_text_and_answers_forbid_the_rest() {
    tell(async |site| {
        let scim = issue(&site.server, "acme").await?.secret;
        let scim = rollcall_tests::scim::Scim::anonymous(site.server.address()).with_token(&scim);
        let odd = "<script>alert(1)</script>\" onmouseover='x' \u{202e}evil";
        let long = "x".repeat(1_000);
        for (name, display) in [(odd, odd), ("long", long.as_str())] {
            let body = json!({ "userName": name, "displayName": display, "active": true });
            scim.post("/Users", &body).await?.expect(201)?;
            scim.post("/Groups", &json!({ "displayName": display })).await?.expect(201)?;
        }
        let mut auditor = site.by_link(&invite("acme", "auditor")).await?;
        let odd_agent = Request::new("GET", "/o/acme/users")
            .header("User-Agent", "<img src=x onerror=alert(1)>");
        auditor.send(odd_agent).await?.expect(200)?;
        for page in PAGES.into_iter().filter(|p| {
            !p.starts_with("/consumers")
                && !matches!(
                    *p,
                    "/connection" | "/access" | "/notifications" | "/credentials" | "/live/stream"
                )
                && !p.ends_with("/download")
        }) {
            let target = match page {
                "/changes" => "/o/acme/changes?from=position:1".to_owned(),
                page => format!("/o/acme{page}"),
            };
            let answer = auditor.get(&target).await?.expect(200)?;
            let policy = answer.header("content-security-policy").unwrap_or_default();
            ensure!(
                policy.contains("script-src 'self';") && !policy.contains("unsafe"),
                "{policy}"
            );
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
            ] {
                ensure!(answer.header(name) == Some(value), "{target}: {name}");
            }
            let html = answer.text();
            ensure!(!html.contains("<script>") && !html.contains("<img"), "{target}: {html}");
            // Cut where it is read, whole where somebody points at it.
            ensure!(!html.contains(&format!(">{long}")), "{target} writes 1,000 characters");
            ensure!(!html.contains("style=\"") && !html.contains("onclick"), "{target}");
        }
        let (name, value) = OURS;
        ensure!(name == "Sec-Fetch-Site" && value == "same-origin");
        Ok(())
    })
    .await;
}
