//! What Rollcall knows of one attribute.

use super::characteristic::{AttributeType, Mutability, Returned, Uniqueness};

/// What is known of an attribute or sub-attribute (RFC 7643 section 7).
#[derive(Clone, Copy, Debug)]
pub struct AttributeDef {
    /// The name, in the schema's case.
    pub name: &'static str,
    /// The type.
    pub kind: AttributeType,
    /// An array of values rather than one.
    pub multi_valued: bool,
    /// A resource always has it.
    pub required: bool,
    /// Upper and lower case differ.
    pub case_exact: bool,
    /// What nobody sees at the ends of a value does not count where values are equal or in order.
    pub ends_ignored: bool,
    /// When it may be written.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Whether two resources may have the same value.
    pub uniqueness: Uniqueness,
    /// Usual values; others are accepted.
    pub canonical_values: &'static [&'static str],
    /// What a reference may point to.
    pub reference_types: &'static [&'static str],
    /// What it is, for people.
    pub description: &'static str,
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: &'static [AttributeDef],
    /// What people are called: no text of any length.
    pub is_name: bool,
    /// Part of what `/Schemas` says. Microsoft's validator refuses schemas with some attributes of
    /// RFC 7643, which are kept and returned all the same.
    pub advertised: bool,
}

impl AttributeDef {
    /// A sub-attribute, by a name in any case.
    pub fn sub(&self, name: &str) -> Option<&'static AttributeDef> {
        find(self.sub_attributes, name)
    }

    /// True if clients cannot write it.
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// True for an attribute with sub-attributes.
    pub fn is_complex(&self) -> bool {
        self.kind == AttributeType::Complex
    }

    const fn new(name: &'static str, kind: AttributeType, description: &'static str) -> Self {
        Self {
            name,
            kind,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            ends_ignored: false,
            canonical_values: &[],
            reference_types: &[],
            description,
            sub_attributes: &[],
            is_name: false,
            advertised: true,
        }
    }

    pub(super) const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::String, description)
    }

    pub(super) const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::Boolean, description)
    }

    pub(super) const fn binary(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::Binary, description).exact()
    }

    pub(super) const fn date_time(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::DateTime, description)
    }

    pub(super) const fn reference(
        name: &'static str,
        to: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        let mut def = Self::new(name, AttributeType::Reference, description).exact();
        def.reference_types = to;
        def
    }

    pub(super) const fn complex(
        name: &'static str,
        sub: &'static [AttributeDef],
        description: &'static str,
    ) -> Self {
        let mut def = Self::new(name, AttributeType::Complex, description);
        def.sub_attributes = sub;
        def
    }

    pub(super) const fn many(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(super) const fn mutable(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    pub(super) const fn always(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    pub(super) const fn ignoring_ends(mut self) -> Self {
        self.ends_ignored = true;
        self
    }

    pub(super) const fn unique(mut self, uniqueness: Uniqueness) -> Self {
        self.uniqueness = uniqueness;
        self
    }

    pub(super) const fn usual(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    pub(super) const fn name(mut self) -> Self {
        self.is_name = true;
        self
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.advertised = false;
        self
    }
}

/// An attribute among others, by a name in any case.
pub(super) fn find(defs: &'static [AttributeDef], name: &str) -> Option<&'static AttributeDef> {
    defs.iter().find(|d| d.name.eq_ignore_ascii_case(name))
}
