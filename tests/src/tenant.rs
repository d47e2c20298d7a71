//! A simulated tenant that is provisioned to a server, and whether the two are equal.

use crate::scim::{Scim, id};
use anyhow::{Context as _, Result, ensure};
use rollcall_entra::client::ENTERPRISE;
use rollcall_entra::directory::{Delta, GroupKey, UserKey};
use rollcall_entra::log::{ProvisioningLog, RunKind};
use rollcall_entra::play::{Plan, Played, Scene, play};
use rollcall_entra::time::Simulated;
use rollcall_entra::transport::HttpTransport;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Plays a plan against a tenant URL, as fast as the server answers.
pub async fn provision(plan: Plan, url: &str) -> Result<(Played, Arc<ProvisioningLog>)> {
    let log = Arc::new(ProvisioningLog::new());
    let scene = Scene {
        transport: Arc::new(HttpTransport::new(url, Duration::from_secs(60))?),
        time: Arc::new(Simulated::flowing(plan.start)),
        recorder: log.clone(),
        application: None,
    };
    Ok((play(plan, scene).await, log))
}

/// How many runs of a kind a log has.
pub fn runs(log: &ProvisioningLog, kind: RunKind) -> usize {
    log.runs().iter().filter(|r| r.kind == kind).count()
}

/// All resources of an endpoint by id, page by page.
async fn all(scim: &Scim, endpoint: &str) -> Result<HashMap<String, Value>> {
    let mut found = HashMap::new();
    loop {
        let page = scim
            .get(&format!("{endpoint}?startIndex={}&count=200", found.len() + 1))
            .await?
            .expect_json(200)?;
        let resources = page["Resources"].as_array().context("Resources")?;
        for resource in resources {
            found.insert(id(resource.clone())?, resource.clone());
        }
        if resources.is_empty()
            || found.len() as u64 >= page["totalResults"].as_u64().context("totalResults")?
        {
            return Ok(found);
        }
    }
}

/// How many things were compared, and what is different between the tenant and the server. What
/// Entra does not send before a restart (references that once led out of scope) is not compared.
pub async fn differences(played: &Played, scim: &Scim) -> Result<(usize, Vec<String>)> {
    let (users, groups) = (all(scim, "/Users").await?, all(scim, "/Groups").await?);
    let skipped: HashSet<Delta> = played.client.skipped().into_iter().collect();
    let directory = played.directory.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut compared, mut different, mut linked) = (0, Vec::new(), HashSet::new());
    let mut check = |what: &str, expected: Option<&str>, found: Option<&str>| {
        compared += 1;
        if expected != found {
            different.push(format!("{what}: the tenant has {expected:?}, the server {found:?}"));
        }
    };
    for key in (0..directory.users()).map(UserKey) {
        let Some(user) = directory.user(key) else { continue };
        let name = &user.user_principal_name;
        let Some(id) = played.client.user_id(key) else {
            check(name, directory.is_active(key, &user).then_some("a user to be created"), None);
            continue;
        };
        let Some(resource) = users.get(&id) else {
            check(name, Some("a user"), None);
            continue;
        };
        linked.insert(id);
        let active = directory.is_active(key, &user);
        check(
            &format!("{name} active"),
            Some(if active { "true" } else { "false" }),
            resource["active"].as_bool().map(|a| if a { "true" } else { "false" }),
        );
        // Of somebody in the recycle bin only `active` flows.
        if user.deleted_at.is_some() {
            continue;
        }
        for flow in &played.client.settings().mapping.flows {
            if let Some(value) = flow.source.value(&user) {
                check(
                    &format!("{name} {}", flow.target),
                    Some(&value),
                    flow.target.read(resource).and_then(Value::as_str),
                );
            }
        }
        let manager =
            user.manager.filter(|m| directory.user(*m).is_some()).map(|m| played.client.user_id(m));
        if user.manager.is_none()
            || (manager.as_ref().is_some_and(Option::is_some)
                && !skipped.contains(&Delta::Manager(key)))
        {
            let found = resource[ENTERPRISE]["manager"]["value"].as_str();
            check(&format!("{name} manager"), manager.flatten().as_deref(), found);
        }
    }
    for (number, group) in (0_u32..).zip(directory.groups()) {
        let id = played.client.group_id(GroupKey(number));
        let Some(resource) = id.as_ref().and_then(|id| groups.get(id)) else {
            check(&group.display_name, (!group.deleted).then_some("a group"), None);
            continue;
        };
        linked.extend(id);
        check(&group.display_name, Some(&group.display_name), resource["displayName"].as_str());
        check(
            &group.display_name,
            Some(&group.object_id.to_string()),
            resource["externalId"].as_str(),
        );
        let sent = |m: &UserKey| !skipped.contains(&Delta::Member(GroupKey(number), *m));
        let expected: BTreeSet<String> = group
            .members
            .iter()
            .filter(|m| sent(m))
            .filter_map(|m| played.client.user_id(*m))
            .collect();
        let members = resource["members"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| m["value"].as_str().map(str::to_owned));
        let found: BTreeSet<String> = members.collect();
        for id in expected.union(&found) {
            let of = |set: &BTreeSet<String>| set.contains(id).then_some("a member");
            check(&format!("{} {id}", group.display_name), of(&expected), of(&found));
        }
    }
    for id in users.keys().chain(groups.keys()) {
        check(id, linked.contains(id).then_some("a resource"), Some("a resource"));
    }
    Ok((compared, different))
}

/// Checks that tenant and server are equal; gives how many things were compared.
pub async fn ensure_equal(played: &Played, scim: &Scim) -> Result<usize> {
    let (compared, different) = differences(played, scim).await?;
    ensure!(
        different.is_empty(),
        "{} of {compared} differ:\n{}",
        different.len(),
        different[..different.len().min(20)].join("\n")
    );
    Ok(compared)
}
