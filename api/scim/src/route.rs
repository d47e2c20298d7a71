//! From method and path to an operation.

use super::path::segments;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{ResourceKind, Rule, ScimError};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// POST to a resource endpoint.
    Create(ResourceKind),
    /// GET of one resource.
    Read(ResourceKind, ResourceId),
    /// GET of a resource endpoint; without a kind, of the root.
    List(Option<ResourceKind>),
    /// POST to `.search`.
    Search(Option<ResourceKind>),
    /// PUT of one resource.
    Replace(ResourceKind, ResourceId),
    /// PATCH of one resource.
    Patch(ResourceKind, ResourceId),
    /// DELETE of one resource.
    Delete(ResourceKind, ResourceId),
    /// POST to `/Bulk`.
    Bulk,
    /// Anything at `/Me`.
    Me,
    /// `/ServiceProviderConfig`.
    ServiceProviderConfig,
    /// `/Schemas`, or one of them.
    Schemas(Option<String>),
    /// `/ResourceTypes`, or one of them.
    ResourceTypes(Option<String>),
}

impl Operation {
    /// The resource it is about, if its path names one.
    pub fn subject(&self) -> Option<(ResourceKind, ResourceId)> {
        match self {
            Operation::Read(kind, id)
            | Operation::Replace(kind, id)
            | Operation::Patch(kind, id)
            | Operation::Delete(kind, id) => Some((*kind, *id)),
            _ => None,
        }
    }

    /// The stable name in exchanges and metrics.
    pub fn name(&self) -> &'static str {
        use ResourceKind::{Group, User};
        match self {
            Operation::Create(User) => "users.create",
            Operation::Create(Group) => "groups.create",
            Operation::Read(User, _) => "users.read",
            Operation::Read(Group, _) => "groups.read",
            Operation::List(Some(User)) => "users.list",
            Operation::List(Some(Group)) => "groups.list",
            Operation::List(None) => "root.list",
            Operation::Search(Some(User)) => "users.search",
            Operation::Search(Some(Group)) => "groups.search",
            Operation::Search(None) => "root.search",
            Operation::Replace(User, _) => "users.replace",
            Operation::Replace(Group, _) => "groups.replace",
            Operation::Patch(User, _) => "users.patch",
            Operation::Patch(Group, _) => "groups.patch",
            Operation::Delete(User, _) => "users.delete",
            Operation::Delete(Group, _) => "groups.delete",
            Operation::Bulk => "bulk",
            Operation::Me => "me",
            Operation::ServiceProviderConfig => "service-provider-config",
            Operation::Schemas(_) => "schemas",
            Operation::ResourceTypes(_) => "resource-types",
        }
    }
}

/// Reads method and path below the SCIM base. Names of endpoints are read in any case, ids exactly.
pub fn route(method: &str, path: &str) -> Result<Operation, ScimError> {
    let segments = segments(path)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let kind = |endpoint: &str| {
        [ResourceKind::User, ResourceKind::Group]
            .into_iter()
            .find(|k| k.endpoint().trim_start_matches('/').eq_ignore_ascii_case(endpoint))
    };
    // The server leaves the body out by itself (RFC 9110 section 9.3.2).
    let method = if method == "HEAD" { "GET" } else { method };
    let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
    match *segments.as_slice() {
        [] => allow(method, &[("GET", Operation::List(None))]),
        [search] if is(search, ".search") => allow(method, &[("POST", Operation::Search(None))]),
        [bulk] if is(bulk, "Bulk") => allow(method, &[("POST", Operation::Bulk)]),
        [me] if is(me, "Me") => Ok(Operation::Me),
        [config] if is(config, "ServiceProviderConfig") => {
            allow(method, &[("GET", Operation::ServiceProviderConfig)])
        }
        [schemas] if is(schemas, "Schemas") => allow(method, &[("GET", Operation::Schemas(None))]),
        [schemas, id] if is(schemas, "Schemas") => {
            allow(method, &[("GET", Operation::Schemas(Some(id.to_owned())))])
        }
        [types] if is(types, "ResourceTypes") => {
            allow(method, &[("GET", Operation::ResourceTypes(None))])
        }
        [types, name] if is(types, "ResourceTypes") => {
            allow(method, &[("GET", Operation::ResourceTypes(Some(name.to_owned())))])
        }
        [endpoint] if kind(endpoint).is_some() => {
            let kind = kind(endpoint).unwrap_or(ResourceKind::User);
            allow(
                method,
                &[("GET", Operation::List(Some(kind))), ("POST", Operation::Create(kind))],
            )
        }
        [endpoint, search] if kind(endpoint).is_some() && is(search, ".search") => {
            allow(method, &[("POST", Operation::Search(kind(endpoint)))])
        }
        [endpoint, id] if kind(endpoint).is_some() => {
            let kind = kind(endpoint).unwrap_or(ResourceKind::User);
            let id =
                id.parse().map_err(|_| match id.to_ascii_lowercase().parse::<ResourceId>() {
                    Ok(_) => not_found(kind, id).of_rule(Rule::IdExact),
                    Err(_) => not_found(kind, id),
                })?;
            allow(
                method,
                &[
                    ("GET", Operation::Read(kind, id)),
                    ("PUT", Operation::Replace(kind, id)),
                    ("PATCH", Operation::Patch(kind, id)),
                    ("DELETE", Operation::Delete(kind, id)),
                ],
            )
        }
        _ => Err(ScimError::not_found(format!(
            "there is nothing at this address; the endpoints are /Users, /Groups, /Bulk, /.search, /ServiceProviderConfig, \
             /Schemas and /ResourceTypes below the tenant URL ({method} with {} path segments came in)",
            segments.len()
        ))),
    }
}

/// The methods that are possible at a path, for `Allow` (RFC 9110 section 15.5.6).
pub fn allowed(path: &str) -> String {
    let possible = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .filter(|method| route(method, path).is_ok());
    possible.collect::<Vec<_>>().join(", ")
}

/// The answer about a resource that is not there, or belongs to somebody else.
pub fn not_found(kind: ResourceKind, id: &str) -> ScimError {
    let id: String = id.chars().take(100).collect();
    ScimError::not_found(format!("there is no {} with id {id:?}", kind.name()))
}

fn allow(method: &str, allowed: &[(&str, Operation)]) -> Result<Operation, ScimError> {
    if let Some((_, operation)) = allowed.iter().find(|(m, _)| *m == method) {
        return Ok(operation.clone());
    }
    let methods: Vec<&str> = allowed.iter().map(|(m, _)| *m).collect();
    let method: String = method.chars().take(20).collect();
    Err(ScimError::method_not_allowed(format!(
        "{method} is not possible here; allowed: {}",
        methods.join(", ")
    )))
}
