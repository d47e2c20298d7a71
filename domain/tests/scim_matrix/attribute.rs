//! Every attribute of every schema, with values for it. Names come from the schemas; the values and
//! what becomes of them are written here, and are not asked of the code under test.

use rollcall_domain::scim::{AttributeDef, AttributeType, ENTERPRISE_URN, ResourceKind};
use serde_json::{Map, Value, json};

/// A column of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Single,
    Required,
    Active,
    Complex,
    Multi,
    Part,
    Members,
    ReadOnly,
    Password,
}

impl Class {
    pub const ALL: [Class; 9] = [
        Class::Single,
        Class::Required,
        Class::Active,
        Class::Complex,
        Class::Multi,
        Class::Part,
        Class::Members,
        Class::ReadOnly,
        Class::Password,
    ];

    pub fn parse(name: &str) -> Self {
        let names = [
            "single",
            "required",
            "active",
            "complex",
            "multi",
            "part",
            "members",
            "read-only",
            "password",
        ];
        let at =
            names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("no column {name:?}"));
        Self::ALL[at]
    }
}

/// One attribute, or a part of one.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub kind: ResourceKind,
    pub class: Class,
    /// As a path has it, without a schema.
    pub name: String,
    /// The extension's URN.
    pub urn: Option<&'static str>,
    /// The attribute of which it is a part, and the part.
    pub within: Option<(&'static str, &'static str)>,
    boolean: bool,
    def: Option<&'static AttributeDef>,
}

pub const ADA: &str = "0190b1a0-0000-7000-8000-000000000001";
pub const BRAM: &str = "0190b1a0-0000-7000-8000-000000000002";

/// All of them.
pub fn all() -> Vec<Attribute> {
    let mut found = Vec::new();
    for kind in ResourceKind::ALL {
        for def in kind.schema().attributes {
            add(kind, None, def, &mut found);
        }
        for schema in kind.extensions() {
            for def in schema.attributes {
                add(kind, Some(schema.urn), def, &mut found);
            }
        }
        for name in ["id", "meta", "schemas"] {
            let def = kind.attribute(name).expect("a common attribute");
            found.push(Attribute { class: Class::ReadOnly, ..plain(kind, None, def) });
        }
    }
    let password =
        plain(ResourceKind::User, None, ResourceKind::User.attribute("title").expect("title"));
    found.push(Attribute {
        class: Class::Password,
        name: "password".into(),
        def: None,
        ..password
    });
    found
}

fn plain(kind: ResourceKind, urn: Option<&'static str>, def: &'static AttributeDef) -> Attribute {
    let boolean = def.kind == AttributeType::Boolean;
    Attribute {
        kind,
        class: Class::Single,
        name: def.name.to_owned(),
        urn,
        within: None,
        boolean,
        def: Some(def),
    }
}

fn add(
    kind: ResourceKind,
    urn: Option<&'static str>,
    def: &'static AttributeDef,
    found: &mut Vec<Attribute>,
) {
    let class = match def.name {
        "members" => Class::Members,
        "active" => Class::Active,
        _ if def.is_read_only() => Class::ReadOnly,
        _ if def.required => Class::Required,
        _ if def.is_complex() && def.multi_valued => Class::Multi,
        _ if def.is_complex() => Class::Complex,
        _ => Class::Single,
    };
    found.push(Attribute { class, ..plain(kind, urn, def) });
    let writable = |sub: &&AttributeDef| !sub.is_read_only() && sub.name != "$ref";
    for sub in def.sub_attributes.iter().filter(writable) {
        match class {
            Class::Complex => found.push(Attribute {
                name: format!("{}.{}", def.name, sub.name),
                within: Some((def.name, sub.name)),
                ..plain(kind, urn, sub)
            }),
            // What the value is for is what the path chooses by.
            Class::Multi if !matches!(sub.name, "type" | "primary") => found.push(Attribute {
                class: Class::Part,
                name: format!("{}[type eq \"work\"].{}", def.name, sub.name),
                within: Some((def.name, sub.name)),
                ..plain(kind, urn, sub)
            }),
            _ => {}
        }
    }
}

impl Attribute {
    /// A value by the name that the tables have for it; none if there is no value at all.
    pub fn value(&self, name: &str) -> Option<Value> {
        match name {
            "absent" => None,
            "null" => Some(Value::Null),
            "\"\"" => Some(json!("")),
            "{}" => Some(json!({})),
            "[]" => Some(json!([])),
            "wrong" => Some(self.wrong()),
            "equal" => Some(self.old()),
            "new" => Some(self.new_value()),
            other => panic!("no value {other:?}"),
        }
    }

    fn wrong(&self) -> Value {
        match self.class {
            _ if self.boolean => json!("maybe"),
            Class::Complex | Class::Multi | Class::Members => json!(true),
            _ => json!({ "a": 1 }),
        }
    }

    /// What is there.
    pub fn old(&self) -> Value {
        match (self.class, self.name.as_str()) {
            (Class::ReadOnly, name) => read_only(self.kind)[name].clone(),
            (Class::Members, _) => json!([{ "value": ADA }]),
            (Class::Active, _) => json!(true),
            (Class::Complex, _) => self.object("old", 0),
            (Class::Multi, _) => json!([self.element("old", "work")]),
            _ if self.boolean => json!(true),
            _ => json!(format!("old {}", self.name)),
        }
    }

    /// Something else.
    pub fn new_value(&self) -> Value {
        match self.class {
            Class::ReadOnly if self.name == "meta" => json!({ "version": "W/\"9\"" }),
            Class::ReadOnly if self.name == "schemas" => json!(["urn:other:2.0:Thing"]),
            Class::ReadOnly if self.name == "groups" => json!([{ "value": BRAM }]),
            Class::Members => json!([{ "value": BRAM }]),
            Class::Active => json!(false),
            // Another part, so that merging and replacing differ.
            Class::Complex => self.object("new", 1),
            Class::Multi => json!([self.element("new", "home")]),
            _ if self.boolean => json!(false),
            _ => json!(format!("new {}", self.name)),
        }
    }

    fn object(&self, word: &str, at: usize) -> Value {
        let parts = self.def.map(|d| d.sub_attributes).unwrap_or_default();
        let writable: Vec<&AttributeDef> =
            parts.iter().filter(|s| !s.is_read_only() && s.name != "$ref").collect();
        let part = writable[at.min(writable.len() - 1)];
        Value::Object(Map::from_iter([(
            part.name.to_owned(),
            json!(format!("{word} {}", part.name)),
        )]))
    }

    fn element(&self, word: &str, of: &str) -> Value {
        let parts = self.def.map(|d| d.sub_attributes).unwrap_or_default();
        let first = parts.iter().find(|s| s.name != "type" && s.name != "primary").expect("a part");
        json!({ "type": of, first.name: format!("{word} {}", first.name) })
    }

    /// What is there to begin with.
    pub fn before(&self, has_value: bool) -> Option<Value> {
        match (self.class, has_value) {
            (Class::Password, _) => None,
            (_, has_value) => has_value.then(|| self.old()),
        }
    }

    /// What a resource has that was created without a word about it.
    pub fn default(&self) -> Option<Value> {
        (self.class == Class::Active).then_some(json!(true))
    }
}

/// The read-only attributes of the resource under test.
pub fn read_only(kind: ResourceKind) -> Value {
    let mut all = json!({
        "id": ADA, "schemas": [kind.schema_urn()],
        "meta": { "resourceType": kind.name(), "version": "W/\"1\"", "location": "https://x/1" },
    });
    if kind == ResourceKind::User {
        all["groups"] = json!([{ "value": ADA, "display": "G", "type": "direct" }]);
        all["schemas"] = json!([kind.schema_urn(), ENTERPRISE_URN]);
    }
    all
}

/// Both lists.
pub fn joined(old: &Value, new: &Value) -> Value {
    old.as_array().into_iter().chain(new.as_array()).flatten().cloned().collect()
}

/// Both objects, the new one's parts in the place of the old one's.
pub fn merged(old: &Value, new: &Value) -> Value {
    let parts = |v: &Value| v.as_object().cloned().unwrap_or_default();
    let mut all = parts(old);
    all.extend(parts(new));
    Value::Object(all)
}
