//! Sends the recorded requests one after another and checks what is said about each answer.

use super::fact::Fact;
use crate::http::{Answer, Request};
use crate::scim::{BASE, Scim};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One line of the corpus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Place in the order of sending.
    pub seq: u32,
    /// The story it belongs to.
    pub scenario: String,
    /// What it is, for people.
    pub name: String,
    /// HTTP method.
    pub method: String,
    /// Path and query below the SCIM base, encoded, with placeholders.
    pub path: String,
    /// Headers, with placeholders.
    pub headers: BTreeMap<String, String>,
    /// Body, with placeholders.
    pub body: Option<Value>,
    /// What is said about the answer.
    pub expect: Expectation,
    /// Where it is known from: `doc`, `wild` or `derived`.
    #[serde(default)]
    pub evidence: String,
    /// Who sends it, in the cases from public reports.
    #[serde(default)]
    pub kind: String,
    /// Placeholders to fill from the answer's body.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
    /// A remark.
    #[serde(default)]
    pub note: String,
}

/// What is said about an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The status a good server answers.
    pub status: u16,
    /// Statuses Entra takes as well.
    #[serde(default)]
    pub also_ok: Vec<u16>,
    /// Facts; see [`Fact`].
    pub body_facts: Vec<String>,
}

/// A request that was sent, and whether all that was said about its answer held.
#[derive(Debug)]
pub struct Played {
    /// The line's name.
    pub name: String,
    /// Method as sent.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Status as answered.
    pub status: u16,
    /// Everything that did not hold.
    pub failures: Vec<String>,
}

/// What Entra sends.
pub fn corpus() -> Result<Vec<Line>> {
    lines(include_str!("../../corpus/entra-requests.jsonl"))
}

/// What public reports say that Entra, Okta and others sent, and what became of it elsewhere.
pub fn reports() -> Result<Vec<Line>> {
    lines(include_str!("../../corpus/report-cases.jsonl"))
}

fn lines(text: &str) -> Result<Vec<Line>> {
    text.lines()
        .enumerate()
        .map(|(n, line)| serde_json::from_str(line).with_context(|| format!("line {}", n + 1)))
        .collect()
}

/// Plays requests in order; what one answer gives, later requests may use.
#[derive(Debug)]
pub struct Player {
    scim: Scim,
    known: BTreeMap<String, String>,
}

impl Player {
    /// A player with the token of `scim`.
    pub fn new(scim: &Scim) -> Self {
        let mut known = BTreeMap::from([("base".to_owned(), BASE.to_owned())]);
        if let Some(token) = scim.token() {
            known.insert("token".to_owned(), token.to_owned());
        }
        Self { scim: scim.fresh(), known }
    }

    /// Sends one line and checks its facts. An error means that the line could not be sent or its
    /// facts not be read.
    pub async fn play(&mut self, line: &Line) -> Result<Played> {
        let target = format!("{BASE}{}", self.fill(&line.path)?);
        let mut request = Request::new(&line.method, &target);
        for (name, value) in &line.headers {
            request = request.header(name, self.fill(value)?);
        }
        if let Some(body) = &line.body {
            request = request.body(self.fill_json(body)?.to_string());
        }
        let answer = self.scim.send(request).await?;
        // What a report says of a change that is answered without a body holds for what is read
        // then.
        let mut said_of = answer.clone();
        if !line.kind.is_empty() && line.method == "PATCH" && answer.status == 204 {
            said_of.body = self
                .scim
                .get(target.strip_prefix(BASE).unwrap_or(&target))
                .await?
                .expect(200)?
                .body;
        }
        let failures = self.judge(line, &said_of)?;
        for (placeholder, path) in &line.capture {
            let key =
                path.strip_prefix("$.").with_context(|| format!("cannot capture {path:?}"))?;
            let value = answer.json()?;
            let text = value
                .get(key)
                .and_then(Value::as_str)
                .with_context(|| format!("{}: no {path} to capture in {value}", line.name))?;
            self.known.insert(placeholder.clone(), text.to_owned());
        }
        Ok(Played {
            name: line.name.clone(),
            method: line.method.clone(),
            target,
            status: answer.status,
            failures,
        })
    }

    fn judge(&self, line: &Line, answer: &Answer) -> Result<Vec<String>> {
        let expect = &line.expect;
        let mut failures = Vec::new();
        let second_best = expect.also_ok.contains(&answer.status);
        if answer.status != expect.status && !second_best {
            failures.push(format!(
                "status {} instead of {}: {}",
                answer.status,
                expect.status,
                answer.text()
            ));
        }
        for text in &expect.body_facts {
            let fact = Fact::parse(&self.fill(text)?)?;
            // A 200 where 204 is expected may carry a body; that is what the alternative means.
            if fact == Fact::BodyEmpty && second_best && answer.status == 200 {
                continue;
            }
            if let Err(e) = fact.check(answer) {
                failures.push(format!("{text}: {e:#}"));
            }
        }
        Ok(failures)
    }

    fn fill(&self, text: &str) -> Result<String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, tail)) = rest.split_once("{{") {
            let (name, after) = tail
                .split_once("}}")
                .with_context(|| format!("a placeholder is not closed in {text:?}"))?;
            out.push_str(before);
            out.push_str(
                self.known
                    .get(name)
                    .with_context(|| format!("placeholder {name} is not known yet"))?,
            );
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn fill_json(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(s) => Value::String(self.fill(s)?),
            Value::Array(list) => {
                Value::Array(list.iter().map(|v| self.fill_json(v)).collect::<Result<_>>()?)
            }
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(k, v)| Ok((self.fill(k)?, self.fill_json(v)?)))
                    .collect::<Result<_>>()?,
            ),
            other => other.clone(),
        })
    }
}

/// Plays all of what Entra sends; an error names every request of which something did not hold.
pub async fn play_all(scim: &Scim) -> Result<Vec<Played>> {
    play_lines(scim, corpus()?, 102).await
}

/// Plays the cases from public reports.
pub async fn play_reports(scim: &Scim) -> Result<Vec<Played>> {
    play_lines(scim, reports()?, 22).await
}

async fn play_lines(scim: &Scim, lines: Vec<Line>, expected: usize) -> Result<Vec<Played>> {
    let mut player = Player::new(scim);
    let mut all = Vec::new();
    for line in lines {
        let played = player
            .play(&line)
            .await
            .with_context(|| format!("request {} {}", line.seq, line.name))?;
        println!(
            "{} {:>3} {}",
            if played.failures.is_empty() { "ok  " } else { "FAIL" },
            line.seq,
            line.name
        );
        all.push(played);
    }
    let failed: Vec<String> = all
        .iter()
        .filter(|p| !p.failures.is_empty())
        .map(|p| format!("{}: {}", p.name, p.failures.join("; ")))
        .collect();
    ensure!(all.len() == expected, "the corpus has {} requests, not {expected}", all.len());
    if !failed.is_empty() {
        bail!("{} of {} requests did not hold:\n{}", failed.len(), all.len(), failed.join("\n"));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Address;

    #[test]
    fn every_line_and_every_fact_can_be_read() -> Result<()> {
        let lines = corpus()?;
        assert_eq!(lines.len(), 102);
        for line in &lines {
            assert!(
                !line.expect.body_facts.is_empty()
                    || line.method == "DELETE"
                    || line.expect.status == 404,
                "{} says nothing",
                line.name
            );
            for fact in &line.expect.body_facts {
                Fact::parse(fact).with_context(|| line.name.clone())?;
            }
        }
        Ok(())
    }

    #[test]
    fn an_unknown_placeholder_is_an_error() {
        let player = Player::new(&Scim::anonymous(Address::new("127.0.0.1:1")));
        assert_eq!(player.fill("{{base}}/x").ok().as_deref(), Some("/scim/v2/x"));
        assert!(player.fill("{{user9.id}}").is_err());
        assert!(player.fill("{{user9").is_err());
    }
}
