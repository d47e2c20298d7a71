//! The operator's view over HTTP: events, exchanges, health.

use crate::http::{Address, Answer, Http, Request};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// How many entries one page of a listing is asked to have.
const PAGE: usize = 1000;

/// A caller with the operator key.
#[derive(Clone, Debug)]
pub struct Admin {
    http: Http,
    key: String,
}

impl Admin {
    /// A caller of the server at `address`.
    pub fn new(address: Address, key: &str) -> Self {
        Self { http: Http::new(address), key: key.to_owned() }
    }

    /// GET with the operator key.
    pub async fn get(&self, target: &str) -> Result<Answer> {
        self.http
            .send(
                Request::new("GET", target).header("Authorization", format!("Bearer {}", self.key)),
            )
            .await
    }

    /// POST with the operator key and a JSON body.
    pub async fn post(&self, target: &str, body: &Value) -> Result<Answer> {
        let request = Request::new("POST", target).json("application/json", body);
        self.http.send(request.header("Authorization", format!("Bearer {}", self.key))).await
    }

    /// GET without any key.
    pub async fn get_anonymous(&self, target: &str) -> Result<Answer> {
        self.http.send(Request::new("GET", target)).await
    }

    /// All records of an organization after a position, in the order in which they were given.
    pub async fn events_after(&self, organization: &str, after: u64) -> Result<Vec<Value>> {
        self.all(&format!("/api/v1/organizations/{organization}/events"), "position", after).await
    }

    /// All exchanges of an organization, in the order in which they were given; of `none`, those
    /// whose token named no organization.
    pub async fn all_exchanges(&self, organization: &str) -> Result<Vec<Value>> {
        self.all(&format!("/api/v1/organizations/{organization}/exchanges"), "number", 0).await
    }

    /// The same without what was changed by `/api/v1`.
    pub async fn exchanges(&self, organization: &str) -> Result<Vec<Value>> {
        let text = |x: &Value, name: &str| x[name].as_str().unwrap_or_default().to_owned();
        let changes = |x: &Value| {
            text(x, "target").starts_with("/api/v1") && !text(x, "operation").starts_with("audit.")
        };
        Ok(self.all_exchanges(organization).await?.into_iter().filter(|x| !changes(x)).collect())
    }

    async fn all(&self, target: &str, number: &str, after: u64) -> Result<Vec<Value>> {
        let (mut all, mut after) = (Vec::new(), after);
        loop {
            let body = self
                .get(&format!("{target}?after={after}&limit={PAGE}"))
                .await?
                .expect_json(200)?;
            let page = body.as_array().with_context(|| format!("{target} gave no list: {body}"))?;
            let Some(last) = page.last() else { return Ok(all) };
            let next = last[number].as_u64().with_context(|| format!("no {number} in {last}"))?;
            ensure!(next > after, "{target}: the page after {after} ends at {next}");
            after = next;
            all.extend(page.iter().cloned());
        }
    }
}

/// Checks that records have the positions `after + 1, after + 2, ...`; gives the last one.
pub fn gapless(records: &[Value], after: u64) -> Result<u64> {
    let mut expected = after;
    for record in records {
        expected += 1;
        ensure!(
            record["position"].as_u64() == Some(expected),
            "expected position {expected}, got {}",
            record["position"]
        );
    }
    Ok(expected)
}

#[cfg(test)]
mod tests {
    use super::gapless;
    use serde_json::json;

    #[test]
    fn a_gap_is_seen() {
        assert!(
            gapless(&[json!({"position": 4}), json!({"position": 5})], 3)
                .is_ok_and(|last| last == 5)
        );
        assert!(gapless(&[json!({"position": 4}), json!({"position": 6})], 3).is_err());
        assert!(gapless(&[json!({"position": 5})], 3).is_err());
    }
}
