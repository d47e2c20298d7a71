//! The same intents, each in another syntax, sent to two copies: both end alike, or both are
//! refused for the same.

use super::attribute::{self, ADA, Attribute, Class};
use super::outcome::{Resource, change};
use super::syntax::{self, Verb};
use proptest::prelude::*;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::*;
use serde_json::{Value, json};

const VALUES: [&str; 8] = ["null", "\"\"", "{}", "[]", "wrong", "equal", "new", "absent"];

/// One intent and the syntaxes in which the two copies hear it; the numbers are taken modulo what
/// there is.
type Heard = (usize, usize, usize, usize, usize);

fn writable(kind: ResourceKind) -> Vec<Attribute> {
    let changes = |a: &Attribute| a.kind == kind && a.class != Class::ReadOnly;
    attribute::all().into_iter().filter(changes).collect()
}

/// The two requests.
fn requests(kind: ResourceKind, heard: &[Heard]) -> [Value; 2] {
    let attributes = writable(kind);
    let mut operations = [Vec::new(), Vec::new()];
    for (attribute, verb, value, a, b) in heard {
        let attribute = &attributes[attribute % attributes.len()];
        let verb = [Verb::Add, Verb::Replace, Verb::Remove][verb % 3];
        // Without a path, an operation cannot be without a value.
        let values = if verb == Verb::Remove { 8 } else { 7 };
        let all = syntax::all(attribute, verb, attribute.value(VALUES[value % values]));
        for (list, pick) in operations.iter_mut().zip([a, b]) {
            list.push(all[pick % all.len()].body["Operations"][0].clone());
        }
    }
    operations.map(|list| json!({ "schemas": [PATCH_OP_URN], "Operations": list }))
}

fn ends(
    before: Resource,
    kind: ResourceKind,
    body: &Value,
) -> Result<(Attributes, Vec<String>), (u16, Option<ScimType>)> {
    let after = decode_patch(kind, body, &Limits::default(), &mut Notes::default())
        .and_then(|intents| change(before, intents));
    match after.map_err(|e| (e.status, e.scim_type))? {
        Resource::User(user) => Ok((user.attributes().cloned().unwrap_or_default(), Vec::new())),
        Resource::Group(group) => {
            let (attributes, members) = group.present().expect("a group");
            let mut members: Vec<String> = members.iter().map(ToString::to_string).collect();
            members.sort();
            Ok((attributes.clone(), members))
        }
    }
}

fn beginning(kind: ResourceKind) -> Resource {
    let body = match kind {
        ResourceKind::User => json!({
            "schemas": [kind.schema_urn()], "userName": "old userName", "title": "old title",
            "name": { "formatted": "old formatted" }, "emails": [{ "type": "work", "value": "old value" }],
            ENTERPRISE_URN: { "manager": { "value": "old value" } },
        }),
        ResourceKind::Group => {
            json!({ "schemas": [kind.schema_urn()], "displayName": "old displayName", "members": [{ "value": ADA }] })
        }
    };
    let decoded = decode_resource(kind, &body, &Limits::default(), &mut Notes::default())
        .expect("a resource");
    super::outcome::create(kind, decoded).expect("a resource")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn two_copies_end_alike(
        user in any::<bool>(),
        heard in prop::collection::vec(any::<Heard>(), 1..6),
    ) {
        let kind = if user { ResourceKind::User } else { ResourceKind::Group };
        let [a, b] = requests(kind, &heard);
        let (left, right) = (ends(beginning(kind), kind, &a), ends(beginning(kind), kind, &b));
        prop_assert_eq!(left, right, "\n{}\n{}", a, b);
    }
}
