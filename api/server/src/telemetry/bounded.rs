//! Metrics that do not grow without end: a deployment of thousands of organizations would make as
//! many series of each counter as it has organizations, times their operations and statuses.

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit,
};
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// The label that says whose something is.
const ORGANIZATION: &str = "organization";
/// What stands in it for all who are not counted by themselves.
const OTHER: &str = "other";

/// Passes on what is counted, with so many organizations at most in counters, those that came
/// first. Gauges are passed on as they are: added up they would say nothing, and each is one series
/// of an organization, not one of each operation and status.
pub struct Bounded<R> {
    inner: R,
    most: usize,
    known: RwLock<HashSet<String>>,
}

impl<R> Bounded<R> {
    /// Passes on to a recorder.
    pub fn new(inner: R, most: usize) -> Self {
        Self { inner, most, known: RwLock::default() }
    }

    fn by_itself(&self, organization: &str) -> bool {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).contains(organization) {
            return true;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.contains(organization)
            || (known.len() < self.most && known.insert(organization.to_owned()))
    }

    /// The key under which something is counted, if it is not its own.
    fn added_up(&self, key: &Key) -> Option<Key> {
        let organization = key.labels().find(|label| label.key() == ORGANIZATION)?;
        if self.by_itself(organization.value()) {
            return None;
        }
        let labels = key.labels().map(|label| match label.key() {
            ORGANIZATION => Label::from_static_parts(ORGANIZATION, OTHER),
            _ => label.clone(),
        });
        Some(Key::from_parts(key.name().to_owned(), labels.collect::<Vec<_>>()))
    }
}

impl<R: Recorder> Recorder for Bounded<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.inner.register_counter(self.added_up(key).as_ref().unwrap_or(key), metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.inner.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.inner.register_histogram(self.added_up(key).as_ref().unwrap_or(key), metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric_table::{Kind, METRICS};
    use metrics::Level;
    use metrics_exporter_prometheus::PrometheusBuilder;

    /// Every metric of the table, for more organizations than are counted by themselves: each
    /// counter has as many series as are allowed and one for the others, and nothing is lost.
    #[test]
    fn counters_are_bounded_whatever_the_number_of_organizations() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let bounded = Bounded::new(recorder, 3);
        let metadata = Metadata::new("tests", Level::INFO, None);
        for metric in METRICS {
            for organization in 0..10 {
                let label = |name: &&'static str| match *name {
                    ORGANIZATION => Label::new(ORGANIZATION, format!("o{organization}")),
                    other => Label::new(other, "x"),
                };
                let labels: Vec<Label> = metric.labels.iter().map(label).collect();
                let key = Key::from_parts(metric.name, labels);
                match metric.kind {
                    Kind::Counter => bounded.register_counter(&key, &metadata).increment(1),
                    Kind::Gauge => bounded.register_gauge(&key, &metadata).set(1.0),
                    Kind::Histogram => bounded.register_histogram(&key, &metadata).record(1.0),
                }
            }
        }
        let rendered = handle.render();
        let series = |name: &str| -> Vec<(String, f64)> {
            let of = |line: &str| {
                let (key, value) = line.rsplit_once(' ')?;
                (key.split('{').next() == Some(name)).then(|| (key.to_owned(), value.parse().ok()))
            };
            rendered.lines().filter_map(of).map(|(key, v)| (key, v.unwrap_or(0.0))).collect()
        };
        for metric in METRICS.iter().filter(|m| m.kind == Kind::Counter) {
            let found = series(metric.name);
            let expected = if metric.labels.contains(&ORGANIZATION) { 4 } else { 1 };
            assert_eq!(found.len(), expected, "series of {}: {found:?}", metric.name);
            let counted: f64 = found.iter().map(|(_, value)| value).sum();
            assert!((counted - 10.0).abs() < f64::EPSILON, "{} lost something", metric.name);
        }
        // A gauge of one organization is never that of another.
        let stopped = series("rollcall_view_stopped");
        assert_eq!(stopped.len(), 10, "{stopped:?}");
    }
}
