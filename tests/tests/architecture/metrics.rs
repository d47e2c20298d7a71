//! Metrics stand in one table; what is counted and what operators are told of are held against it.

use crate::sources::{assert_none, is_test, sources};
use rollcall_server::metric_table::{Kind, METRICS};
use std::collections::{BTreeMap, BTreeSet};

/// What the sources count: the name with how it moves and what it is told apart by.
type Counted = BTreeMap<String, BTreeSet<(&'static str, Vec<String>)>>;

/// The calls `metrics::counter!("name", "label" => value, ...)` of a text.
fn calls(text: &str, into: &mut Counted) {
    for kind in ["counter", "gauge", "histogram"] {
        for (_, rest) in text
            .match_indices(&format!("metrics::{kind}!("))
            .map(|(at, found)| text.split_at(at + found.len()))
        {
            let mut depth = 1;
            let end = rest.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let arguments = &rest[..end.unwrap_or(rest.len())];
            let Some(name) =
                arguments.trim_start().strip_prefix('"').and_then(|r| r.split('"').next())
            else {
                continue;
            };
            let label = |part: &str| {
                part.trim_end()
                    .strip_suffix('"')
                    .and_then(|p| p.rsplit('"').next())
                    .map(str::to_owned)
            };
            let mut parts: Vec<&str> = arguments.split("=>").collect();
            parts.pop();
            let mut labels: Vec<String> = parts.into_iter().filter_map(label).collect();
            labels.sort();
            into.entry(name.to_owned()).or_default().insert((kind, labels));
        }
    }
}

fn counted() -> Counted {
    let mut found = Counted::new();
    for (_, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        calls(&text, &mut found);
    }
    found
}

#[test]
fn the_rule_can_see_what_is_counted() {
    let mut found = Counted::new();
    let text = r#"metrics::gauge!("a_b", "x" => f(1), "c" => y.clone()).set(1.0); metrics::counter!( "n").increment(1)"#;
    calls(text, &mut found);
    let labels = vec!["c".to_owned(), "x".to_owned()];
    assert_eq!(found["a_b"], BTreeSet::from([("gauge", labels)]));
    assert_eq!(found["n"], BTreeSet::from([("counter", Vec::new())]));
}

#[test]
fn what_is_counted_is_what_the_table_says() {
    let counted = counted();
    let mut offenders = Vec::new();
    for (name, uses) in &counted {
        let Some(metric) = METRICS.iter().find(|m| m.name == name) else {
            offenders.push(format!("{name} is not in the table"));
            continue;
        };
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let mut labels: Vec<String> = metric.labels.iter().map(|l| (*l).to_owned()).collect();
        labels.sort();
        for used in uses.iter().filter(|used| **used != (kind, labels.clone())) {
            offenders.push(format!("{name} is {used:?}, not {kind} {labels:?}"));
        }
    }
    let unused = METRICS
        .iter()
        .filter(|m| !counted.contains_key(m.name))
        .map(|m| format!("{} is counted nowhere", m.name));
    offenders.extend(unused);
    assert_none("metrics that are not as the table says", offenders);
}

#[test]
fn operators_are_told_of_every_metric() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let guide = std::fs::read_to_string(root.join("docs/operating.md")).expect("the guide");
    // A database's role or schema is no metric: those have one word after the product's name.
    let named: BTreeSet<&str> = guide
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|code| code.split('{').next().unwrap_or(code))
        .collect();
    let missing =
        METRICS.iter().filter(|m| !named.contains(m.name)).map(|m| m.name.to_owned()).collect();
    assert_none("docs/operating.md does not explain these metrics", missing);
    let is_metric = |code: &&str| {
        let tail = code.strip_prefix("rollcall_").unwrap_or_default();
        ["_total", "_seconds", "_bytes", "_records", "_stopped"]
            .iter()
            .any(|end| tail.ends_with(end))
    };
    let unknown =
        named.iter().filter(|code| is_metric(code) && !METRICS.iter().any(|m| m.name == **code));
    assert_none(
        "docs/operating.md explains metrics that there are not",
        unknown.map(|c| (*c).to_owned()).collect(),
    );
    for metric in METRICS {
        let row = guide
            .lines()
            .find(|line| line.starts_with('|') && line.contains(&format!("`{}", metric.name)));
        let row = row.unwrap_or_else(|| panic!("{} has no row", metric.name));
        let told = row.split(&format!("`{}", metric.name)).nth(1).unwrap_or_default();
        let told = told.strip_prefix('{').and_then(|t| t.split('}').next()).unwrap_or_default();
        let told: BTreeSet<&str> = told.split(',').filter(|l| !l.is_empty()).collect();
        let labels: BTreeSet<&str> = metric.labels.iter().copied().collect();
        assert_eq!(told, labels, "labels of {} in docs/operating.md", metric.name);
    }
}
