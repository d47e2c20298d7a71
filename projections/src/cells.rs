//! Values as columns hold them: a text or an integer for each type, written and read in one place.

use crate::bad::Bad;
use crate::columns::{Read, Span, Values};
use crate::table::Kind;
use chrono::{DateTime, Utc};
use rollcall_domain::failure::{AccessEnd, Cause, Class};
use rollcall_domain::ids::{
    ConsumerId, CredentialId, ExchangeId, OrganizationId, ResourceId, RunId, SessionId, TokenId,
};
use rollcall_domain::run::{Confidence, Inference, Place, Rhythm, RunKind};
use rollcall_domain::saml::NameId;
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_domain::sql::{SqlError, SqlValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a database keeps: a text or an integer.
pub(crate) trait Raw: Sized {
    /// The type of its column.
    const KIND: Kind;

    /// The value to bind; nothing is null.
    fn bound(raw: Option<Self>) -> SqlValue;

    /// The value of a column; null is nothing.
    fn found(value: SqlValue) -> Result<Option<Self>, SqlError>;
}

impl Raw for String {
    const KIND: Kind = Kind::Text;

    fn bound(raw: Option<Self>) -> SqlValue {
        SqlValue::Text(raw)
    }

    fn found(value: SqlValue) -> Result<Option<Self>, SqlError> {
        match value {
            SqlValue::Text(text) => Ok(text),
            SqlValue::Int(None) => Ok(None),
            SqlValue::Int(Some(_)) => Err(shape("an integer, not a text")),
        }
    }
}

impl Raw for i64 {
    const KIND: Kind = Kind::Int;

    fn bound(raw: Option<Self>) -> SqlValue {
        SqlValue::Int(raw)
    }

    fn found(value: SqlValue) -> Result<Option<Self>, SqlError> {
        match value {
            SqlValue::Int(n) => Ok(n),
            SqlValue::Text(None) => Ok(None),
            SqlValue::Text(Some(_)) => Err(shape("a text, not an integer")),
        }
    }
}

/// A type that one column holds. Errors never say what a value was: they go into logs.
pub(crate) trait Cell: Sized {
    /// As what it is kept.
    type Raw: Raw;

    /// Makes of it what is kept.
    fn keep(self) -> Result<Self::Raw, Bad>;

    /// Reads what was kept.
    fn of(raw: Self::Raw) -> Result<Self, SqlError>;
}

impl<T: Cell> Read for T {
    fn read(values: &mut Values) -> Result<Self, SqlError> {
        T::Raw::found(values.next()?)?
            .map_or_else(|| Err(shape("null, although there must be a value")), T::of)
    }
}

impl<T: Cell> Span for T {
    const KINDS: &'static [(Kind, bool)] = &[(T::Raw::KIND, false)];

    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad> {
        out.push(T::Raw::bound(Some(self.keep()?)));
        Ok(())
    }
}

impl<T: Cell> Read for Option<T> {
    fn read(values: &mut Values) -> Result<Self, SqlError> {
        T::Raw::found(values.next()?)?.map(T::of).transpose()
    }
}

impl<T: Cell> Span for Option<T> {
    const KINDS: &'static [(Kind, bool)] = &[(T::Raw::KIND, true)];

    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad> {
        out.push(T::Raw::bound(self.map(T::keep).transpose()?));
        Ok(())
    }
}

/// A [`Cell`] by how it is kept and how that is read.
macro_rules! cell {
    ($type:ty as $raw:ty, $keep:expr, $of:expr) => {
        impl $crate::cells::Cell for $type {
            type Raw = $raw;

            fn keep(self) -> Result<$raw, $crate::bad::Bad> {
                let keep: fn(Self) -> Result<$raw, $crate::bad::Bad> = $keep;
                keep(self)
            }

            fn of(raw: $raw) -> Result<Self, rollcall_domain::sql::SqlError> {
                let of: fn($raw) -> Result<Self, rollcall_domain::sql::SqlError> = $of;
                of(raw)
            }
        }
    };
}

cell!(String as String, Ok, Ok);
cell!(i64 as i64, Ok, Ok);
cell!(u64 as i64, |n| Ok(i64::try_from(n).unwrap_or(i64::MAX)), |n| u64::try_from(n)
    .map_err(|_| shape("negative, although it counts")));
cell!(u16 as i64, |n| Ok(n.into()), |n| u16::try_from(n).map_err(|_| shape("no HTTP status")));
cell!(bool as i64, |b| Ok(b.into()), |n| Ok(n != 0));
// Microseconds since 1970.
cell!(DateTime<Utc> as i64, |at| Ok(at.timestamp_micros()), |n| DateTime::from_timestamp_micros(n).ok_or_else(|| shape("no instant")));

/// Ids are kept as they are written.
macro_rules! ids {
    ($($id:ident),+) => {
        $(cell!($id as String, |id| Ok(id.to_string()), |text| text.parse().map_err(|_| shape("no UUID")));)+
    };
}

ids!(
    ConsumerId,
    CredentialId,
    ExchangeId,
    OrganizationId,
    ResourceId,
    RunId,
    SessionId,
    TokenId,
    Uuid
);

/// Words are kept by their stable names.
macro_rules! words {
    ($($word:ident: $name:ident),+ $(,)?) => {
        $($crate::cells::cell!($word as String, |word| Ok(word.$name().to_owned()), |text| {
            let found = $word::ALL.iter().copied().find(|word| word.$name() == text);
            found.ok_or_else(|| $crate::cells::shape("a word that is not known"))
        });)+
    };
}

words!(Cause: as_str, Class: as_str, Confidence: as_str, ResourceKind: name, RunKind: as_str);

/// Writes as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Bad> {
    serde_json::to_string(value)
        .map_err(|_| Bad::new("leaves something that cannot be written as JSON"))
}

/// Reads JSON.
pub(crate) fn parsed<T: DeserializeOwned>(text: String) -> Result<T, SqlError> {
    serde_json::from_str(&text)
        .map_err(|e| SqlError::Shape(format!("JSON that cannot be read: {:?}", e.classify())))
}

/// What has a structure is kept as JSON.
macro_rules! structures {
    ($($type:ty),+) => { $($crate::cells::cell!($type as String, |value| $crate::cells::json(&value), $crate::cells::parsed);)+ };
}

pub(crate) use {cell, structures, words};

structures!(
    Attributes,
    BTreeMap<String, u64>,
    BTreeSet<AccessEnd>,
    BTreeSet<String>,
    Inference,
    NameId,
    Rhythm
);

impl<T: Serialize + DeserializeOwned> Cell for Vec<T> {
    type Raw = String;

    fn keep(self) -> Result<String, Bad> {
        json(&self)
    }

    fn of(raw: String) -> Result<Self, SqlError> {
        parsed(raw)
    }
}

/// Two that are there together or not at all, such as the ends of a range.
impl<T: Cell> Read for Option<(T, T)> {
    fn read(values: &mut Values) -> Result<Self, SqlError> {
        let (first, last): (Option<T>, Option<T>) = (Read::read(values)?, Read::read(values)?);
        Ok(first.zip(last))
    }
}

impl<T: Cell> Span for Option<(T, T)> {
    const KINDS: &'static [(Kind, bool)] = &[(T::Raw::KIND, true); 2];

    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad> {
        let (first, last) = self.unzip();
        first.write(out)?;
        last.write(out)
    }
}

impl Read for Option<Place> {
    fn read(values: &mut Values) -> Result<Self, SqlError> {
        let (since_previous, usual, missed) =
            (Read::read(values)?, Read::read(values)?, Read::read(values)?);
        let whole = |((since_previous, usual), missed)| Place { since_previous, usual, missed };
        Ok(Option::zip(since_previous, usual).zip(missed).map(whole))
    }
}

impl Span for Option<Place> {
    const KINDS: &'static [(Kind, bool)] = &[(Kind::Int, true); 3];

    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad> {
        self.map(|p| p.since_previous).write(out)?;
        self.map(|p| p.usual).write(out)?;
        self.map(|p| p.missed).write(out)
    }
}

/// A row is not as it should be; never what it holds.
pub(crate) fn shape(what: &str) -> SqlError {
    SqlError::Shape(what.to_owned())
}
