//! Facts about an answer: their grammar and whether they hold.
//!
//! ```text
//! PATH == JSON      PATH != JSON      PATH contains JSON      PATH not-contains JSON
//! PATH exists       PATH absent       PATH empty-or-absent    PATH null-or-absent
//! len(PATH) == N    header NAME exists    body empty    no null values anywhere
//! ```
//! A path begins at `$` and goes on with `.name`, `[n]`, `[*]` or `['any key']`.

use crate::http::Answer;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// A fact, read. What cannot be read is an error: a fact nobody checks is worse than none.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Something about the value a path leads to.
    At(Path, Test),
    /// The list has this many elements.
    Length(Path, usize),
    /// The answer has the header.
    Header(String),
    /// The answer has no body.
    BodyEmpty,
    /// No null in the whole body.
    NoNulls,
}

/// What is said about a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to this.
    Equals(Value),
    /// There, and different from this.
    Differs(Value),
    /// There, and not null.
    Exists,
    /// Not there at all.
    Absent,
    /// Not there, or null, or an empty string, list or object.
    EmptyOrAbsent,
    /// Not there, or null.
    NullOrAbsent,
    /// A list with such an element; objects need only agree in the members given.
    Contains(Value),
    /// A list without such an element, or no list.
    NotContains(Value),
}

/// The steps from the body to a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
    Each,
}

impl Fact {
    /// Reads a fact.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text.trim()).with_context(|| format!("cannot read the fact {text:?}"))
    }

    fn read(text: &str) -> Result<Self> {
        match text {
            "body empty" => return Ok(Fact::BodyEmpty),
            "no null values anywhere" => return Ok(Fact::NoNulls),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix("header ") {
            let name =
                rest.strip_suffix(" exists").context("a header can only be said to exist")?;
            ensure!(!name.is_empty() && !name.contains(' '), "{name:?} is no header name");
            return Ok(Fact::Header(name.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("len(") {
            let (path, rest) = Path::parse(rest)?;
            let number = rest.strip_prefix(") == ").context("expected `) == n`")?;
            return Ok(Fact::Length(path, number.parse()?));
        }
        let (path, rest) = Path::parse(text)?;
        let rest = rest.strip_prefix(' ').context("expected a blank after the path")?;
        let (word, json) = rest.split_once(' ').unwrap_or((rest, ""));
        let value = || serde_json::from_str(json).with_context(|| format!("{json:?} is no JSON"));
        let test = match word {
            "==" => Test::Equals(value()?),
            "!=" => Test::Differs(value()?),
            "contains" => Test::Contains(value()?),
            "not-contains" => Test::NotContains(value()?),
            word => {
                ensure!(json.is_empty(), "unexpected {json:?}");
                match word {
                    "exists" => Test::Exists,
                    "absent" => Test::Absent,
                    "empty-or-absent" => Test::EmptyOrAbsent,
                    "null-or-absent" => Test::NullOrAbsent,
                    other => bail!("unknown word {other:?}"),
                }
            }
        };
        Ok(Fact::At(path, test))
    }

    /// Says whether the fact holds for an answer; an error tells what was there instead.
    pub fn check(&self, answer: &Answer) -> Result<()> {
        match self {
            Fact::BodyEmpty => ensure!(answer.body.is_empty(), "the body is {}", answer.text()),
            Fact::Header(name) => {
                ensure!(answer.headers.contains_key(name.as_str()), "no header {name}")
            }
            Fact::NoNulls => ensure!(!has_null(&answer.json()?), "a null in {}", answer.text()),
            Fact::Length(path, expected) => {
                let found = path.find(&answer.json()?);
                let length = found.as_ref().and_then(Value::as_array).map(Vec::len);
                ensure!(length == Some(*expected), "the length is {length:?} in {}", answer.text());
            }
            Fact::At(path, test) => {
                let found = path.find(&answer.json()?);
                ensure!(
                    test.holds(found.as_ref()),
                    "found {}",
                    found.map_or("nothing".to_owned(), |v| v.to_string())
                );
            }
        }
        Ok(())
    }
}

impl Test {
    fn holds(&self, found: Option<&Value>) -> bool {
        let list = found.and_then(Value::as_array);
        match self {
            Test::Equals(expected) => found == Some(expected),
            Test::Differs(other) => found.is_some_and(|v| v != other),
            Test::Exists => found.is_some_and(|v| !v.is_null()),
            Test::Absent => found.is_none(),
            Test::NullOrAbsent => found.is_none_or(Value::is_null),
            Test::EmptyOrAbsent => found.is_none_or(is_empty),
            Test::Contains(wanted) => list.is_some_and(|l| l.iter().any(|v| covers(v, wanted))),
            Test::NotContains(unwanted) => {
                list.is_none_or(|l| !l.iter().any(|v| covers(v, unwanted)))
            }
        }
    }
}

impl Path {
    /// Reads a path from the front of `text`; gives what follows it.
    fn parse(text: &str) -> Result<(Self, &str)> {
        let mut rest = text.strip_prefix('$').context("a path begins with $")?;
        let mut steps = Vec::new();
        loop {
            if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[', ' ', ')']).unwrap_or(tail.len());
                ensure!(end > 0, "a name is missing after the dot");
                steps.push(Step::Key(tail[..end].to_owned()));
                rest = &tail[end..];
            } else if let Some(tail) = rest.strip_prefix("['") {
                let end = tail.find("']").context("['key'] is not closed")?;
                steps.push(Step::Key(tail[..end].to_owned()));
                rest = &tail[end + 2..];
            } else if let Some(tail) = rest.strip_prefix('[') {
                let end = tail.find(']').context("[ is not closed")?;
                steps.push(if &tail[..end] == "*" {
                    Step::Each
                } else {
                    Step::Index(tail[..end].parse()?)
                });
                rest = &tail[end + 1..];
            } else {
                return Ok((Self(steps), rest));
            }
        }
    }

    /// The value the path leads to; after `[*]` the list of all values, absent ones left out.
    fn find(&self, body: &Value) -> Option<Value> {
        Self::walk(&self.0, body)
    }

    fn walk(steps: &[Step], value: &Value) -> Option<Value> {
        match steps {
            [] => Some(value.clone()),
            [Step::Key(key), rest @ ..] => Self::walk(rest, value.as_object()?.get(key)?),
            [Step::Index(index), rest @ ..] => Self::walk(rest, value.as_array()?.get(*index)?),
            [Step::Each, rest @ ..] => {
                Some(value.as_array()?.iter().filter_map(|v| Self::walk(rest, v)).collect())
            }
        }
    }
}

/// True if `value` has everything `wanted` has.
fn covers(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => {
            wanted.iter().all(|(k, w)| value.get(k).is_some_and(|v| covers(v, w)))
        }
        _ => value == wanted,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(a) => a.iter().any(has_null),
        Value::Object(o) => o.values().any(has_null),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Fact;
    use crate::http::Answer;
    use serde_json::json;

    fn holds(fact: &str) -> bool {
        let body = json!({
            "id": "u1", "active": true, "title": "", "nick": null, "list": [],
            "emails": [{"type": "work", "value": "a@b.c"}, {"type": "home"}],
            "urn:x:2.0:User": {"badge": "B-1"},
        });
        let headers = [("location".parse().unwrap(), "/x".parse().unwrap())].into_iter().collect();
        let answer =
            Answer { asked: "GET /".into(), status: 200, headers, body: body.to_string().into() };
        Fact::parse(fact).unwrap().check(&answer).is_ok()
    }

    #[test]
    fn every_form_can_hold_and_fail() {
        for (yes, no) in [
            ("$.id == \"u1\"", "$.id == \"u2\""),
            ("$.id != \"u2\"", "$.id != \"u1\""),
            ("$.active == true", "$.active == \"true\""),
            ("$.id exists", "$.nick exists"),
            ("$.nothing absent", "$.nick absent"),
            ("$.nick null-or-absent", "$.title null-or-absent"),
            ("$.title empty-or-absent", "$.id empty-or-absent"),
            ("$.list empty-or-absent", "$.emails empty-or-absent"),
            ("len($.emails) == 2", "len($.emails) == 1"),
            ("len($.list) == 0", "len($.nothing) == 0"),
            (
                "$.emails contains {\"type\":\"home\"}",
                "$.emails contains {\"type\":\"home\",\"value\":\"a@b.c\"}",
            ),
            (
                "$.emails not-contains {\"type\":\"other\"}",
                "$.emails not-contains {\"value\":\"a@b.c\"}",
            ),
            ("$.emails[*].value contains \"a@b.c\"", "$.emails[*].value contains \"x\""),
            ("$.emails[1].type == \"home\"", "$.emails[2].type == \"home\""),
            ("$['urn:x:2.0:User'].badge == \"B-1\"", "$['urn:x:2.0:User'].badge == \"B-2\""),
            ("$['urn:x:2.0:User:badge'] absent", "$['urn:x:2.0:User'] absent"),
            ("header location exists", "header etag exists"),
        ] {
            assert!(holds(yes), "{yes}");
            assert!(!holds(no), "{no}");
        }
        assert!(!holds("body empty"));
        assert!(!holds("no null values anywhere"));
    }

    #[test]
    fn what_is_not_a_fact_is_an_error() {
        for text in [
            "",
            "$.id",
            "$.id equals 1",
            "$.id == ",
            "$.id == {",
            "$. exists",
            "id exists",
            "len($.a) > 1",
            "len($.a == 1",
            "header x absent",
            "$.a exists now",
            "$['a exists",
            "$[x] exists",
            "body full",
        ] {
            assert!(Fact::parse(text).is_err(), "{text:?}");
        }
    }
}
