//! What `/ServiceProviderConfig`, `/Schemas` and `/ResourceTypes` say (RFC 7643 sections 5 to 7).
//! No member is null anywhere: Entra refuses that.

use super::attribute::AttributeDef;
use super::characteristic::AttributeType;
use super::policy::{Policy, StrictRule};
use super::resource_kind::ResourceKind;
use super::schema::Schema;
use serde_json::{Map, Value, json};

const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

/// What the provider is willing to do, as far as it is said to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderLimits {
    /// Operations in one `/Bulk`.
    pub max_operations: u64,
    /// Length of a body in bytes.
    pub max_payload_size: u64,
    /// Resources in one answer.
    pub max_results: u64,
    /// Resources on a page if the client names no number.
    pub default_page_size: u64,
    /// Resources on a page at most.
    pub max_page_size: u64,
    /// Seconds for which a cursor is good.
    pub cursor_timeout: u64,
}

/// How the clients of one connection can show who they are, and no other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// By a static bearer token.
    pub token: bool,
    /// By access tokens that they get for a secret or an assertion.
    pub oauth2: bool,
}

impl Ways {
    /// As `authenticationSchemes` lists them (RFC 7643 section 5): the one that does not rest on a
    /// secret which is sent with every request comes first.
    fn schemes(self) -> Vec<Value> {
        let oauth2 = self.oauth2.then(|| {
            json!({
                "type": "oauth2",
                "name": "OAuth 2.0 client credentials",
                "description": "An access token in the Authorization header, got with a client secret or an assertion",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6749",
                "primary": true,
            })
        });
        let token = self.token.then(|| {
            json!({
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The SCIM token of the organization in the Authorization header",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
                "primary": !self.oauth2,
            })
        });
        oauth2.into_iter().chain(token).collect()
    }
}

/// Under this URN a connection that asks more than the default of its client says so.
pub const POLICY_URN: &str =
    "urn:ietf:params:scim:schemas:extension:rollcall:2.0:ServiceProviderConfig";

/// The body of `/ServiceProviderConfig` (RFC 7643 section 5, RFC 9865 section 4), for one
/// connection.
pub fn service_provider_config(
    base_url: &str,
    limits: &ProviderLimits,
    policy: &Policy,
    ways: Ways,
) -> Value {
    let mut config = provider_config(base_url, limits, ways);
    if *policy != Policy::default() {
        let rules: Vec<Value> = StrictRule::ALL
            .iter()
            .map(|r| json!({ "name": r.as_str(), "description": r.sentence() }))
            .collect();
        let members = if policy.members_replace_adds { "add" } else { "replace" };
        config["schemas"] = json!([CONFIG_URN, POLICY_URN]);
        config[POLICY_URN] = json!({
            "strict": policy.strict,
            "strictRules": if policy.strict { rules } else { Vec::new() },
            "membersReplace": members,
        });
    }
    config
}

fn provider_config(base_url: &str, limits: &ProviderLimits, ways: Ways) -> Value {
    json!({
        "schemas": [CONFIG_URN],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": limits.max_operations, "maxPayloadSize": limits.max_payload_size },
        "filter": { "supported": true, "maxResults": limits.max_results },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page_size,
            "maxPageSize": limits.max_page_size,
            "cursorTimeout": limits.cursor_timeout,
        },
        "authenticationSchemes": ways.schemes(),
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{}/ServiceProviderConfig", base(base_url)) },
    })
}

/// The resources of `/Schemas` (RFC 7643 section 7).
pub fn schemas(base_url: &str) -> Vec<Value> {
    let known = ResourceKind::ALL
        .into_iter()
        .flat_map(|kind| std::iter::once(kind.schema()).chain(kind.extensions().iter().copied()));
    known.map(|schema| schema_resource(base_url, schema)).collect()
}

fn schema_resource(base_url: &str, schema: &Schema) -> Value {
    json!({
        "schemas": [SCHEMA_URN],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.description,
        "attributes": advertised(schema.attributes),
        "meta": { "resourceType": "Schema", "location": format!("{}/Schemas/{}", base(base_url), schema.urn) },
    })
}

fn advertised(defs: &[AttributeDef]) -> Vec<Value> {
    defs.iter().filter(|d| d.advertised).map(attribute).collect()
}

fn attribute(def: &AttributeDef) -> Value {
    let mut described = Map::new();
    let mut say = |name: &str, value: Value| {
        described.insert(name.to_owned(), value);
    };
    say("name", def.name.into());
    say("type", def.kind.as_str().into());
    say("multiValued", def.multi_valued.into());
    say("description", def.description.into());
    say("required", def.required.into());
    say("mutability", def.mutability.as_str().into());
    say("returned", def.returned.as_str().into());
    say("uniqueness", def.uniqueness.as_str().into());
    if matches!(def.kind, AttributeType::String | AttributeType::Reference | AttributeType::Binary)
    {
        say("caseExact", def.case_exact.into());
    }
    if !def.canonical_values.is_empty() {
        say("canonicalValues", json!(def.canonical_values));
    }
    if !def.reference_types.is_empty() {
        say("referenceTypes", json!(def.reference_types));
    }
    if def.is_complex() {
        say("subAttributes", advertised(def.sub_attributes).into());
    }
    Value::Object(described)
}

/// The resources of `/ResourceTypes` (RFC 7643 section 6).
pub fn resource_types(base_url: &str) -> Vec<Value> {
    ResourceKind::ALL.into_iter().map(|kind| resource_type(base_url, kind)).collect()
}

fn resource_type(base_url: &str, kind: ResourceKind) -> Value {
    let extensions: Vec<Value> =
        kind.extensions().iter().map(|s| json!({ "schema": s.urn, "required": false })).collect();
    json!({
        "schemas": [RESOURCE_TYPE_URN],
        "id": kind.name(),
        "name": kind.name(),
        "description": kind.schema().description,
        "endpoint": kind.endpoint(),
        "schema": kind.schema_urn(),
        "schemaExtensions": extensions,
        "meta": { "resourceType": "ResourceType", "location": format!("{}/ResourceTypes/{}", base(base_url), kind.name()) },
    })
}

fn base(url: &str) -> &str {
    url.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.iter().any(has_null),
            Value::Object(map) => map.values().any(has_null),
            _ => false,
        }
    }

    #[test]
    fn nothing_is_null_and_locations_are_absolute() {
        let mut all = schemas("https://x.example/scim/v2/");
        all.extend(resource_types("https://x.example/scim/v2/"));
        assert_eq!(all.len(), 5);
        for resource in &all {
            assert!(!has_null(resource));
            let location = resource["meta"]["location"].as_str().unwrap_or_default();
            let id = resource["id"].as_str().unwrap_or_default();
            assert!(
                location.starts_with("https://x.example/scim/v2/") && location.ends_with(id),
                "{location}"
            );
        }
    }

    #[test]
    fn what_microsofts_validator_refuses_is_not_advertised() {
        let user = schemas("https://x.example").remove(0);
        let named = |list: &Value, name: &str| {
            list.as_array().into_iter().flatten().find(|a| a["name"] == name).cloned()
        };
        assert!(named(&user["attributes"], "password").is_none());
        let emails = named(&user["attributes"], "emails").unwrap_or_default();
        assert!(named(&emails["subAttributes"], "value").is_some());
        assert!(named(&emails["subAttributes"], "display").is_none());
    }
}
