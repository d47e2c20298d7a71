//! Figures, goals, and how they are told.

use super::machine::Machine;
use serde::Serialize;

/// Which side of the goal is the good one.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The figure should be this or more.
    AtLeast(f64),
    /// The figure should be this or less.
    AtMost(f64),
}

/// One figure with its goal.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
    /// Its unit; empty for a ratio.
    pub unit: &'static str,
    /// The goal.
    pub goal: Goal,
    /// Whether it was met.
    pub met: bool,
    /// The numbers behind it.
    pub details: String,
}

impl Figure {
    /// A figure held against its goal.
    pub fn new(
        name: &'static str,
        value: f64,
        unit: &'static str,
        goal: Goal,
        details: String,
    ) -> Self {
        let met = match goal {
            Goal::AtLeast(bound) => value >= bound,
            Goal::AtMost(bound) => value <= bound,
        };
        Self { name, value, unit, goal, met, details }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let goal = match self.goal {
            Goal::AtLeast(bound) => format!("at least {bound}"),
            Goal::AtMost(bound) => format!("at most {bound}"),
        };
        let verdict = if self.met { "met   " } else { "MISSED" };
        format!(
            "{verdict}  {:<44} {:>10} {:<9} goal: {goal:<16} {}",
            self.name,
            short(self.value),
            self.unit,
            self.details
        )
    }
}

/// Everything one run measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// On what.
    pub machine: Machine,
    /// True if the sizes were reduced.
    pub quick: bool,
    /// The figures, in order.
    pub figures: Vec<Figure>,
}

fn short(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

/// The middle value; the mean of the two in the middle for an even number; zero for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Goal, median};

    #[test]
    fn medians_and_goals() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(Figure::new("x", 0.8, "", Goal::AtLeast(0.8), String::new()).met);
        assert!(!Figure::new("x", 1.31, "", Goal::AtMost(1.3), String::new()).met);
    }
}
