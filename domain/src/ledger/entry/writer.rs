//! Writes the fields of entries. What is ambiguous here could be forged: no two different lists of
//! fields may give the same bytes, so everything says its length or how many it is.

use crate::actor::Actor;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Fields, one after another.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.bytes(&[u8::from(flag)]);
    }

    /// An instant as exactly as every store keeps it.
    pub(super) fn instant(&mut self, at: DateTime<Utc>) {
        self.bytes(&at.timestamp_micros().to_be_bytes());
    }

    pub(super) fn id(&mut self, id: Uuid) {
        self.bytes(id.as_bytes());
    }

    pub(super) fn list<T>(&mut self, items: &[T], write: impl FnMut(&mut Self, &T)) {
        self.each(items.len(), items.iter(), write);
    }

    /// What may be absent: a list of none or one.
    pub(super) fn maybe<T>(&mut self, item: Option<T>, mut write: impl FnMut(&mut Self, T)) {
        self.each(usize::from(item.is_some()), item, &mut write);
    }

    /// Who caused it: a word, and the id that belongs to it.
    pub(super) fn actor(&mut self, actor: &Actor) {
        let (kind, id) = match actor {
            Actor::Unauthenticated => ("unauthenticated", None),
            Actor::ScimToken { token } => ("scim_token", Some(token.0)),
            Actor::User { user } => ("user", Some(user.0)),
            Actor::Auditor { auditor } => ("auditor", Some(auditor.0)),
            Actor::Admin { admin, .. } => ("admin", Some(admin.0)),
            Actor::NamedOperator { operator, .. } => ("named_operator", Some(operator.0)),
            Actor::Consumer { key, .. } => ("consumer", Some(key.0)),
            Actor::Operator => ("operator", None),
            Actor::LocalOperator { .. } => ("local_operator", None),
            Actor::System => ("system", None),
        };
        self.text(kind);
        self.maybe(id, Self::id);
        // What somebody is called is a word that others chose.
        if let Some(name) = actor.name() {
            self.bytes(&Sha256::digest(name));
        }
        // Its keys come and go.
        if let Actor::Consumer { consumer, .. } = actor {
            self.id(consumer.0);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn each<T>(
        &mut self,
        count: usize,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.count(count);
        items.into_iter().for_each(|item| write(self, item));
    }

    /// No text or list in a log comes near 4 GiB: requests are limited to megabytes at the door.
    fn count(&mut self, count: usize) {
        let count = u32::try_from(count).expect("less than 4 GiB");
        self.0.extend(count.to_be_bytes());
    }
}
