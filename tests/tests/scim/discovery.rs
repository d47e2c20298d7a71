//! Discovery (RFC 7644 section 4) and the operator's public endpoints.

use anyhow::{Context as _, ensure};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::filter;
use rollcall_tests::server::PUBLIC_URL;
use rollcall_tests::world::on_sqlite;
use serde_json::{Value, json};

#[tokio::test]
async fn what_the_server_says_about_itself() {
    on_sqlite(async |w| {
        let config = w.scim.get("/ServiceProviderConfig").await?.expect_json(200)?;
        for feature in ["patch", "bulk", "filter", "sort", "etag"] {
            ensure!(config[feature]["supported"] == true, "{feature}: {config}");
        }
        ensure!(config["changePassword"]["supported"] == false, "changePassword");
        ensure!(
            config["pagination"]["cursor"] == true
                && config["pagination"]["defaultPaginationMethod"] == "index",
            "{}",
            config["pagination"]
        );
        // RFC 9967 has it; clients that hold to RFC 7643 refuse what that has not.
        ensure!(config["securityEvents"].is_null(), "{config}");
        ensure!(config["authenticationSchemes"][0]["type"] == "oauthbearertoken", "{config}");

        for kind in ["ResourceTypes", "Schemas"] {
            let list = w.scim.get(&format!("/{kind}")).await?.expect_json(200)?;
            let entries = list["Resources"].as_array().context("Resources")?;
            ensure!(
                list["totalResults"] == entries.len() && !entries.is_empty(),
                "{kind}: totalResults"
            );
            for entry in entries {
                let id = entry["id"].as_str().context("id")?;
                let alone = w.scim.get(&format!("/{kind}/{id}")).await?.expect_json(200)?;
                ensure!(&alone == entry, "{kind}/{id} differs from its entry in the list");
                let location = alone["meta"]["location"].as_str().context("meta.location")?;
                ensure!(
                    location == format!("{PUBLIC_URL}/scim/v2/{kind}/{id}"),
                    "location {location}"
                );
            }
            refused(w.scim.get(&format!("/{kind}/no-such")).await?, 404, None)?;
            refused(w.scim.get(&format!("/{kind}?{}", filter("id eq \"x\""))).await?, 403, None)?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn locations_are_public_and_answers_are_scim_json() {
    on_sqlite(async |w| {
        let answer = w
            .scim
            .post("/Users", &rollcall_tests::scim::user("ada@contoso.example"))
            .await?
            .expect(201)?;
        let location = answer.header("location").context("no Location")?.to_owned();
        let body = answer.json()?;
        ensure!(
            body["meta"]["location"] == location.as_str()
                && location.starts_with(&format!("{PUBLIC_URL}/scim/v2/Users/")),
            "{location}"
        );
        for answer in [
            answer,
            w.scim.get("/Users").await?,
            w.scim.get("/Schemas").await?,
            w.scim.get("/Users/x").await?,
        ] {
            let content_type = answer.header("content-type").unwrap_or_default();
            ensure!(
                content_type.starts_with("application/scim+json"),
                "{}: {content_type}",
                answer.asked
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn health_metrics_and_description() {
    on_sqlite(async |w| {
        w.admin.get_anonymous("/healthz").await?.expect(200)?;
        w.admin.get_anonymous("/readyz").await?.expect(200)?;
        w.scim.create_user("ada@contoso.example").await?;
        let metrics = w.admin.get("/metrics").await?.expect(200)?.text();
        ensure!(
            metrics.lines().any(|l| l.starts_with("# TYPE rollcall")),
            "no metric of ours in:\n{metrics}"
        );
        let description: Value = w.admin.get("/api/v1/openapi.json").await?.expect_json(200)?;
        ensure!(
            description["paths"]
                .as_object()
                .is_some_and(|p| p.keys().any(|k| k.contains("/exchanges"))),
            "no /exchanges in the description"
        );
        let refused =
            w.admin.get_anonymous(&format!("/api/v1/organizations/{}/events", w.acme.id)).await?;
        ensure!(refused.status == 401, "events without a key: {}", refused.status);
        let with_scim_token = w.scim.send(
            rollcall_tests::http::Request::new(
                "GET",
                format!("/api/v1/organizations/{}/events", w.acme.id),
            )
            .header("Authorization", format!("Bearer {}", w.scim.token().unwrap_or_default())),
        );
        let status = with_scim_token.await?.status;
        ensure!(status == 401 || status == 403, "events with a SCIM token: {status}");
        ensure!(
            w.scim.with_token(&w.server.operator_key()?).get("/Users").await?.status == 401,
            "SCIM with the operator key"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn events_are_told_in_order_with_their_cause() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        w.scim
            .operations(
                &format!("/Users/{ada}"),
                json!([{"op": "Replace", "path": "active", "value": "False"}]),
            )
            .await?
            .expect(200)?;
        let records = w.admin.events_after(&w.acme.id, 0).await?;
        rollcall_tests::admin::gapless(&records, 0)?;
        let of_ada: Vec<&str> = records
            .iter()
            .filter(|r| r["subject"] == ada.as_str())
            .filter_map(|r| r["type"].as_str())
            .collect();
        ensure!(of_ada == ["UserCreated", "UserDeactivated"], "{of_ada:?}");
        let last = records.last().context("no record")?;
        let cause = last["exchange"].as_str().with_context(|| format!("no exchange in {last}"))?;
        let exchanges = w.admin.exchanges(&w.acme.id).await?;
        ensure!(exchanges.iter().any(|x| x["id"] == cause), "the exchange {cause} is not listed");
        let position = last["position"].as_u64().context("position")?;
        ensure!(
            w.admin.events_after(&w.acme.id, position).await?.is_empty(),
            "nothing comes after the last record"
        );
        Ok(())
    })
    .await;
}
