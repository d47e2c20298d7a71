//! The first requests of a run, which ask whether there is anything to talk to.

use super::Client;
use super::body::equals;
use super::run::Running;
use super::status::{Effect, Failure, INCOMPATIBLE, Purpose};
use super::work::Work;
use crate::transport::Method;

impl Running {
    /// Looks for somebody who cannot exist: is the endpoint there, and is the token good?
    pub(super) async fn probe(&self, client: &Client, groups: bool) -> Result<(), Failure> {
        let nobody = self.seed.uuid("nobody", 0).to_string();
        let matching = client.settings.mapping.matching.first().map_or("userName", |t| t.as_str());
        let mut targets = vec![format!("/Users?filter={}", equals(matching, &nobody))];
        if groups && client.settings.groups {
            targets.push(format!(
                "/Groups?excludedAttributes=members&filter={}",
                equals("displayName", &nobody)
            ));
        }
        for target in targets {
            let reply =
                Work::probe(client, self).send(Purpose::Probe, Method::Get, target, None).await?;
            if reply["Resources"].as_array().is_some_and(|found| !found.is_empty()) {
                return Err(Failure::new(
                    Effect::Quarantine,
                    INCOMPATIBLE,
                    "a user was found that cannot exist",
                ));
            }
        }
        Ok(())
    }
}
