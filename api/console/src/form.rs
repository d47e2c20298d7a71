//! What a form sends, read within limits.

use bytes::Bytes;
use rollcall_door::nul;
use std::collections::BTreeMap;

/// Longer than any form of ours: metadata that is pasted is the longest.
pub const FORM_BYTES: usize = 512 * 1024;

/// More than any form of ours has.
const FIELDS: usize = 200;

/// Its fields, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

/// What is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoForm {
    /// Two fields of one name: whoever reads the first and whoever reads the last differ.
    #[error("a field came twice")]
    Twice,
    /// A character that no field has.
    #[error("there is a NUL character in a field")]
    Nul,
    /// More fields than any form has.
    #[error("too many fields")]
    TooMany,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// If a field comes twice or has a NUL character, or if there are too many.
    pub fn read(body: &Bytes) -> Result<Self, NoForm> {
        if nul::in_encoded(body) {
            return Err(NoForm::Nul);
        }
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body).take(FIELDS + 1) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(NoForm::Twice);
            }
        }
        if fields.len() > FIELDS { Err(NoForm::TooMany) } else { Ok(Self(fields)) }
    }

    /// A field without the blanks around it; nothing if it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The same, empty if there is nothing.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Whether a box was ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Form::read(&Bytes::from(body));
        }

        #[test]
        fn what_was_typed_is_what_is_read(name in "[a-z]{1,8}", value in "\\PC{0,60}") {
            let sent = form_urlencoded::Serializer::new(String::new())
                .append_pair(&name, &value)
                .finish();
            let form = Form::read(&Bytes::from(sent)).unwrap();
            prop_assert_eq!(form.text(&name), value.trim());
        }
    }

    #[test]
    fn a_field_that_comes_twice_is_refused() {
        assert_eq!(Form::read(&Bytes::from("a=1&a=2")), Err(NoForm::Twice));
        let many: Vec<String> = (0..=FIELDS).map(|n| format!("f{n}=")).collect();
        assert_eq!(Form::read(&Bytes::from(many.join("&"))), Err(NoForm::TooMany));
    }
}
