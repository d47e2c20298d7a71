//! What exchanges touch or name: the state that they need.

use rollcall_domain::log::RecordedExchange;
use std::collections::HashSet;
use uuid::Uuid;

/// The length of an id in text.
const ID: usize = 36;

/// Ids of the resources that exchanges touch or name: in the target, in either body, in the
/// error's text. What no id was answered about needs no state.
#[derive(Debug, Default)]
pub struct Touched(HashSet<Uuid>);

impl Touched {
    /// Takes everything that an exchange names.
    pub fn add(&mut self, recorded: &RecordedExchange) {
        let exchange = &recorded.exchange;
        let subject = exchange.subject.as_deref().unwrap_or_default();
        let detail = exchange.answer.detail.as_deref().unwrap_or_default();
        for text in [
            subject.as_bytes(),
            exchange.target.as_bytes(),
            detail.as_bytes(),
            &exchange.request_body,
            &exchange.answer_body,
        ] {
            self.scan(text);
        }
    }

    /// Whether a resource is one of them.
    pub fn holds(&self, id: Uuid) -> bool {
        self.0.contains(&id)
    }

    fn scan(&mut self, text: &[u8]) {
        let mut at = 0;
        while at + ID <= text.len() {
            // The first hyphen of an id is its ninth character.
            match std::str::from_utf8(&text[at..at + ID])
                .ok()
                .filter(|t| t.as_bytes()[8] == b'-')
                .and_then(|t| t.parse().ok())
            {
                Some(id) => {
                    self.0.insert(id);
                    at += ID;
                }
                None => at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_wherever_they_stand() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut touched = Touched::default();
        touched.scan(format!("ä{{\"value\":\"{a}\"}},x{b}").as_bytes());
        assert!(touched.holds(a) && touched.holds(b) && touched.0.len() == 2);
    }
}
