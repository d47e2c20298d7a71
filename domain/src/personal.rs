//! Personal data has one type inside event payloads.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;

/// The only key of the object that stands for a personal value in a text that is marked, and for a
/// sealed one in a text that is stored.
pub const MARK: &str = "~";

thread_local! {
    static MARKING: Cell<bool> = const { Cell::new(false) };
}

/// A value that says something about a person. It serializes as the value itself, and is never
/// printed: `Debug` shows a placeholder, so that traces and panics cannot leak it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for those who may see it.
    pub fn value(&self) -> &T {
        &self.0
    }

    /// The value, for those who may see it.
    pub fn into_value(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !MARKING.get() {
            return self.0.serialize(to);
        }
        let mut marked = to.serialize_map(Some(1))?;
        marked.serialize_entry(MARK, &self.0)?;
        marked.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self)
    }
}

/// Whatever is serialized meanwhile on this thread shows each personal value as `{"~": value}`, so
/// that whoever seals finds them where they stand.
pub(crate) fn marked<R>(serialize: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            MARKING.set(self.0);
        }
    }
    let _before = Before(MARKING.replace(true));
    serialize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_marked_only_when_asked_and_read_as_it_is() {
        let value = vec![Personal::new("a"), Personal::new("b")];
        let text = || serde_json::to_string(&value).unwrap();
        assert_eq!(text(), r#"["a","b"]"#);
        assert_eq!(marked(text), r#"[{"~":"a"},{"~":"b"}]"#);
        assert_eq!(text(), r#"["a","b"]"#);
        assert!(std::panic::catch_unwind(|| marked(|| panic!("while marking"))).is_err());
        assert_eq!(text(), r#"["a","b"]"#);
        let read: Vec<Personal<String>> = serde_json::from_str(&text()).unwrap();
        assert_eq!(read[1].value(), "b");
    }
}
