//! The parser of filters and paths: one recursive descent for both, bounded in depth and terms.

use super::attribute::AttributeDef;
use super::characteristic::AttributeType;
use super::compare_op::CompareOp;
use super::error::{Rule, quoted};
use super::filter::{AttributePath, Filter};
use super::limits::Limits;
use super::names::{self, NameProblem};
use super::problem::Problem;
use super::resource_kind::ResourceKind;
use super::secret::names_password;
use crate::interpretation::{Notes, Reading};
use chrono::DateTime;
use serde_json::Value;

/// What the names in a filter stand for.
#[derive(Clone, Copy)]
enum Scope {
    /// Attributes of the resource.
    Resource,
    /// Sub-attributes of this attribute.
    Within(&'static AttributeDef),
    /// Sub-attributes of an attribute that no schema describes.
    Custom,
}

/// Reads one text.
pub(super) struct Parser<'a> {
    kind: ResourceKind,
    text: &'a str,
    at: usize,
    limits: &'a Limits,
    notes: &'a mut Notes,
    depth: usize,
    terms: usize,
    brackets: usize,
}

type Parsed<T> = Result<T, Problem>;

impl<'a> Parser<'a> {
    pub fn new(
        kind: ResourceKind,
        text: &'a str,
        limits: &'a Limits,
        notes: &'a mut Notes,
    ) -> Self {
        Self { kind, text, at: 0, limits, notes, depth: 0, terms: 0, brackets: 0 }
    }

    /// The whole text as a filter.
    pub fn filter(mut self) -> Parsed<Filter> {
        self.check_length()?;
        let filter = self.or(Scope::Resource)?;
        self.end("\"and\", \"or\" or the end of the filter")?;
        Ok(filter)
    }

    /// The whole text as a path.
    pub fn path(mut self) -> Parsed<AttributePath> {
        self.check_length()?;
        self.blanks();
        let (start, name) = self.name();
        let mut path =
            names::resolve(self.kind, name, self.notes).map_err(|p| self.name_problem(start, p))?;
        if self.peek() == Some('[') {
            // Of an attribute with one value, the filter is held against that one.
            let filter = self.bracket(&path)?;
            path.filter = Some(Box::new(filter));
            path.sub = self.sub_of(&path)?;
        }
        self.end("the end of the path")?;
        Ok(path)
    }

    fn check_length(&self) -> Parsed<()> {
        let (found, most) = (self.text.len(), self.limits.max_filter_bytes);
        if found > most {
            return Err(
                self.problem_at(0, format!("it has {found} bytes, more than the {most} accepted"))
            );
        }
        Ok(())
    }

    fn or(&mut self, scope: Scope) -> Parsed<Filter> {
        let mut left = self.and(scope)?;
        while self.keyword("or") {
            left = left.or(self.and(scope)?);
        }
        Ok(left)
    }

    fn and(&mut self, scope: Scope) -> Parsed<Filter> {
        let mut left = self.term(scope)?;
        while self.keyword("and") {
            left = left.and(self.term(scope)?);
        }
        Ok(left)
    }

    fn term(&mut self, scope: Scope) -> Parsed<Filter> {
        self.blanks();
        if self.peek() == Some('(') {
            return self.group(scope);
        }
        let (start, name) = self.name();
        if name.is_empty() {
            return Err(self.expected("an attribute, \"not\" or \"(\""));
        }
        if name.eq_ignore_ascii_case("not") {
            self.blanks();
            return match self.peek() {
                Some('(') => Ok(Filter::Not(Box::new(self.group(scope)?))),
                _ => Err(self.expected("\"(\" after \"not\"")),
            };
        }
        self.count_term(start)?;
        if names_password(name) {
            let message = "Rollcall stores no passwords, so no filter can compare them".to_owned();
            return Err(Problem { asks_for_password: true, ..self.problem_at(start, message) });
        }
        let path = self.resolve(scope, start, name)?;
        if path.is_schema() {
            return Err(
                self.problem_at(start, "expected an attribute, found a schema alone".to_owned())
            );
        }
        if let Err(broken) = self.limits.policy.know_schema(self.kind, path.urn.as_deref()) {
            return Err(Problem { rule: broken.rule, ..self.problem_at(start, broken.detail) });
        }
        if self.peek() == Some('[') {
            return self.value_path(scope, start, path);
        }
        self.comparison(scope, start, path)
    }

    fn group(&mut self, scope: Scope) -> Parsed<Filter> {
        self.enter()?;
        self.at += 1;
        let filter = self.or(scope)?;
        self.blanks();
        if self.peek() != Some(')') {
            return Err(self.expected("\")\""));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(filter)
    }

    /// `attribute[...]`, or with a comparison behind it, which RFC 7644 does not have but Entra
    /// sends.
    fn value_path(&mut self, scope: Scope, start: usize, path: AttributePath) -> Parsed<Filter> {
        if !matches!(scope, Scope::Resource) || path.sub.is_some() {
            return Err(self.problem_at(start, "brackets cannot stand here".to_owned()));
        }
        let filter = self.bracket(&path)?;
        let Some(sub) = self.sub_of(&path)? else {
            return Ok(Filter::ValuePath { path, filter: Box::new(filter) });
        };
        self.notes.note(Reading::ValuePathComparison, format!("{}.{sub}", path.attribute));
        let scope = self.within(&path);
        let comparison = self.comparison(scope, start, AttributePath::core(sub))?;
        Ok(Filter::ValuePath { path, filter: Box::new(filter.and(comparison)) })
    }

    /// `[filter]` behind an attribute.
    fn bracket(&mut self, path: &AttributePath) -> Parsed<Filter> {
        if path.is_schema() || path.sub.is_some() {
            return Err(self.problem_at(self.at, "brackets stand behind an attribute".to_owned()));
        }
        if let Some(def) = path.def(self.kind)
            && !def.is_complex()
        {
            return Err(self.problem_at(self.at, format!("{} has no sub-attributes", def.name)));
        }
        self.enter()?;
        self.brackets += 1;
        self.at += 1;
        let scope = self.within(path);
        let filter = self.or(scope)?;
        self.blanks();
        if self.peek() != Some(']') {
            return Err(self.expected("\"]\""));
        }
        self.at += 1;
        self.brackets -= 1;
        self.depth -= 1;
        Ok(filter)
    }

    /// `.sub` behind a bracket.
    fn sub_of(&mut self, path: &AttributePath) -> Parsed<Option<String>> {
        if self.peek() != Some('.') {
            return Ok(None);
        }
        self.at += 1;
        let (start, name) = self.name();
        let sub = match path.def(self.kind) {
            Some(def) => names::sub_attribute(def, name, 0, self.notes),
            None => names::custom_sub(name, 0),
        };
        sub.map(Some).map_err(|p| self.name_problem(start, p))
    }

    fn within(&self, path: &AttributePath) -> Scope {
        path.def(self.kind).map_or(Scope::Custom, Scope::Within)
    }

    fn resolve(&mut self, scope: Scope, start: usize, name: &str) -> Parsed<AttributePath> {
        let resolved = match scope {
            Scope::Resource => names::resolve(self.kind, name, self.notes),
            Scope::Within(def) => {
                names::sub_attribute(def, name, 0, self.notes).map(AttributePath::core)
            }
            Scope::Custom => names::custom_sub(name, 0).map(AttributePath::core),
        };
        resolved.map_err(|p| self.name_problem(start, p))
    }

    fn comparison(
        &mut self,
        scope: Scope,
        start: usize,
        mut path: AttributePath,
    ) -> Parsed<Filter> {
        self.blanks();
        let (op_start, word) = self.name();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(op) = CompareOp::parse(word) else {
            let message = format!(
                "expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr, found {}",
                self.found_at(op_start)
            );
            return Err(self.problem_at(op_start, message));
        };
        let mut def = match scope {
            Scope::Resource => path.leaf_def(self.kind),
            Scope::Within(outer) => outer.sub(&path.attribute),
            Scope::Custom => None,
        };
        if let Some(complex) = def.filter(|d| d.is_complex()) {
            // `emails eq "x"` means its values (RFC 7643 section 2.4).
            def = complex.sub("value");
            let Some(value) = def else {
                let message = format!(
                    "{} has sub-attributes: compare one of them, such as {}.{}",
                    path, path, complex.sub_attributes[0].name
                );
                return Err(self.problem_at(start, message));
            };
            path.sub = Some(value.name.to_owned());
        }
        self.blanks();
        let value_start = self.at;
        let literal = self.literal()?;
        let value = self.typed(def, &path, op, literal, value_start)?;
        Ok(Filter::Compare { path, op, value })
    }

    /// A JSON string, number, true, false or null.
    fn literal(&mut self) -> Parsed<Value> {
        let (start, rest) = (self.at, &self.text[self.at..]);
        let length = match rest.strip_prefix('"') {
            Some(inside) => {
                let mut escaped = false;
                let end = inside.char_indices().find(|(_, c)| {
                    let closes = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    closes
                });
                match end {
                    Some((i, _)) => i + 2,
                    None => {
                        return Err(self.problem_at(
                            start,
                            "the closing quotation mark is missing".to_owned(),
                        ));
                    }
                }
            }
            None => {
                rest.find(|c: char| c.is_whitespace() || c == ')' || c == ']').unwrap_or(rest.len())
            }
        };
        let word = &rest[..length];
        self.at += length;
        if let Some(value) = boolean(word) {
            if word.bytes().any(|b| b.is_ascii_uppercase()) {
                self.notes.note(Reading::StringBooleanInFilter, "");
            }
            return Ok(value);
        }
        match serde_json::from_str(word) {
            Ok(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null)) => {
                Ok(value)
            }
            _ if word.starts_with('"') => Err(self.problem_at(
                start,
                format!("{} is no JSON string; a backslash is written as two", quoted(word)),
            )),
            _ => {
                let found = if word.is_empty() { self.found_at(start) } else { quoted(word) };
                let message = format!(
                    "expected a text in double quotes, a number, true, false or null, found {found}"
                );
                Err(self.problem_at(start, message))
            }
        }
    }

    /// The value in the attribute's type, if the operator and the type go together.
    fn typed(
        &mut self,
        def: Option<&AttributeDef>,
        path: &AttributePath,
        op: CompareOp,
        value: Value,
        at: usize,
    ) -> Parsed<Value> {
        if value.is_null() {
            return if op.is_equality() {
                Ok(value)
            } else {
                Err(self.problem_at(at, "null can only be compared with eq and ne".to_owned()))
            };
        }
        if value.is_boolean() && !op.is_equality() {
            return Err(self
                .problem_at(at, "true and false can only be compared with eq and ne".to_owned()));
        }
        let Some(def) = def else { return Ok(value) };
        match (def.kind, value) {
            (AttributeType::Boolean, _) if !op.is_equality() => {
                Err(self.problem_at(at, format!("{path} is true or false, so it can only be compared with eq and ne")))
            }
            (AttributeType::Boolean, value @ Value::Bool(_)) => Ok(value),
            (AttributeType::Boolean, Value::String(s)) if boolean(&s).is_some() => {
                self.notes.note(Reading::StringBooleanInFilter, path.to_string());
                Ok(boolean(&s).unwrap_or_default())
            }
            (AttributeType::Boolean, other) => {
                Err(self.problem_at(at, format!("{path} is true or false, it cannot be compared with {other}")))
            }
            (AttributeType::Binary, _) if op.is_ordering() => Err(self.problem_at(at, format!("{path} is binary and has no order"))),
            (AttributeType::DateTime, Value::String(s)) if op.is_equality() || op.is_ordering() => {
                match DateTime::parse_from_rfc3339(&s) {
                    Ok(_) => Ok(Value::String(s)),
                    Err(_) => Err(self
                        .problem_at(at, format!("{path} is compared with a time such as \"2026-11-23T08:00:00Z\", found {}", quoted(&s)))),
                }
            }
            (AttributeType::DateTime, other) if !other.is_string() => {
                let message = format!("{path} is compared with a time such as \"2026-11-23T08:00:00Z\", found {other}");
                Err(Problem { rule: Some(Rule::InstantNeeded), ..self.problem_at(at, message) })
            }
            (_, value @ Value::String(_)) => Ok(value),
            (_, Value::Number(n)) => {
                self.notes.note(Reading::ScalarAsString, path.to_string());
                Ok(Value::String(n.to_string()))
            }
            (_, other) => Err(self.problem_at(at, format!("{path} is a text, it cannot be compared with {other}"))),
        }
    }

    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > self.limits.max_filter_depth {
            return Err(self.problem_at(
                self.at,
                format!(
                    "it nests deeper than the {} levels accepted",
                    self.limits.max_filter_depth
                ),
            ));
        }
        Ok(())
    }

    fn count_term(&mut self, at: usize) -> Parsed<()> {
        self.terms += 1;
        if self.terms > self.limits.max_filter_terms {
            return Err(self.problem_at(
                at,
                format!(
                    "it has more than the {} comparisons accepted",
                    self.limits.max_filter_terms
                ),
            ));
        }
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The longest run of characters that names and words are made of; may be empty.
    fn name(&mut self) -> (usize, &'a str) {
        let start = self.at;
        let rest = &self.text[start..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "-_.:$/%+~@#".contains(c)))
            .unwrap_or(rest.len());
        self.at += end;
        (start, &rest[..end])
    }

    /// Takes a word if it comes next.
    fn keyword(&mut self, word: &str) -> bool {
        let before = self.at;
        self.blanks();
        let (_, found) = self.name();
        let taken = found.eq_ignore_ascii_case(word);
        if !taken {
            self.at = before;
        }
        taken
    }

    fn end(&mut self, expected: &str) -> Parsed<()> {
        self.blanks();
        if self.at < self.text.len() { Err(self.expected(expected)) } else { Ok(()) }
    }

    fn found_at(&self, at: usize) -> String {
        match self.text[at..].split_whitespace().next() {
            Some(word) => quoted(word),
            None => "the end".to_owned(),
        }
    }

    fn expected(&self, what: &str) -> Problem {
        self.problem_at(self.at, format!("expected {what}, found {}", self.found_at(self.at)))
    }

    fn problem_at(&self, position: usize, message: String) -> Problem {
        Problem {
            position,
            message,
            inside_brackets: self.brackets > 0,
            asks_for_password: false,
            unknown: None,
            rule: None,
        }
    }

    fn name_problem(&self, start: usize, problem: NameProblem) -> Problem {
        Problem {
            unknown: problem.unknown,
            rule: problem.rule,
            ..self.problem_at(start + problem.offset, problem.message)
        }
    }
}

/// `true` and `false` in any case.
fn boolean(word: &str) -> Option<Value> {
    [true, false]
        .into_iter()
        .find(|b| word.eq_ignore_ascii_case(if *b { "true" } else { "false" }))
        .map(Value::Bool)
}
