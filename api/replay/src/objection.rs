//! What speaks against submitting a recorded exchange again: the same for a dry run and for apply,
//! so that one tells what the other does.

use super::error::ReplayError;
use super::line;
use super::overtaken::{origin_of, overtaken};
use rollcall_domain::failure::{Class, about};
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::log::RecordedExchange;
use rollcall_door::App;
use std::collections::BTreeSet;

/// An objection, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It cannot be submitted.
    Impossible(String),
    /// It would undo something: whoever insists can submit it all the same.
    Unless(String),
}

/// What speaks against submitting an exchange now, if anything does.
pub async fn objection(
    app: &App,
    recorded: &RecordedExchange,
) -> Result<Option<Objection>, ReplayError> {
    let old = &recorded.exchange;
    if let Some(why) = line::not_replayed(old) {
        let why = format!("it cannot be replayed: {}", why.words());
        return Ok(Some(Objection::Impossible(why)));
    }
    if old.answer.status < 400 {
        let status = old.answer.status;
        return Ok(Some(Objection::Unless(format!(
            "it succeeded ({status}): what it asked for may have been changed since"
        ))));
    }
    Ok(overtaken(app, recorded).await?.map(Objection::Unless))
}

/// An exchange as it will be judged when its turn comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    objection: Option<Objection>,
    origin: ExchangeId,
}

/// Judges an exchange by what the log says now.
pub async fn judged(app: &App, recorded: &RecordedExchange) -> Result<Judged, ReplayError> {
    let origin = origin_of(app, recorded).await?;
    Ok(Judged { objection: objection(app, recorded).await?, origin })
}

/// What those submitted before in the same replay have done already.
#[derive(Debug, Default)]
pub struct Done {
    created: BTreeSet<String>,
    origins: BTreeSet<ExchangeId>,
}

impl Done {
    /// Notes that an exchange was submitted, and succeeded.
    pub fn note(&mut self, recorded: &RecordedExchange, judged: &Judged) {
        let about = about(&recorded.exchange);
        match about.class {
            Class::Create => drop(self.created.insert(about.key)),
            Class::Read => {}
            _ => drop(self.origins.insert(judged.origin)),
        }
    }

    /// What speaks against an exchange, now that those before it have been submitted.
    pub fn objection(&self, recorded: &RecordedExchange, judged: &Judged) -> Option<Objection> {
        if judged.objection.is_some() {
            return judged.objection.clone();
        }
        let about = about(&recorded.exchange);
        let again = match about.class {
            Class::Create => self.created.contains(&about.key),
            Class::Read => false,
            _ => self.origins.contains(&judged.origin),
        };
        again.then(|| {
            Objection::Unless("one before it in this replay does the same already".to_owned())
        })
    }
}

/// How an objection is told to whoever does not insist.
pub fn refusal(objection: &Objection) -> String {
    match objection {
        Objection::Impossible(why) => why.clone(),
        Objection::Unless(why) => format!("{why}; --force submits it all the same"),
    }
}
