//! What is known of a person, as they can read it themselves.

use crate::output::visible_line;
use rollcall_contract::people::PersonBody;
use rollcall_contract::time;
use serde::Serialize;
use serde_json::Value;

/// All of it, section by section: a heading, how many there are, and each with names and values.
pub(super) fn text(body: &PersonBody) -> String {
    let head = &body.head;
    let mut text = String::new();
    text.push_str("What Rollcall knows of one person\n=================================\n\n");
    let mut pair = |name: &str, value: String| text.push_str(&format!("{name}: {value}\n"));
    pair("Organization", head.organization_id.to_string());
    pair("User", head.user_id.to_string());
    pair("As of position", head.as_of.position.to_string());
    if let Some(at) = head.as_of.recorded_at {
        pair("As of", time::text(at));
    }
    if let Some(at) = head.erased_at {
        pair("Erased, as is said at position", at.to_string());
    }
    if let Some(hold) = &head.hold {
        pair("Held since", format!("{}, because: {}", time::text(hold.since), hold.because));
    }
    text.push_str(concat!(
        "\nValues that nobody can read any more are shown as [erased]. Requests about others, or\n",
        "about many, are listed without bodies, for those tell of others.\n",
    ));
    section(&mut text, "Who told it", &head.sources);
    section(&mut text, "In the directory now", head.resource.as_slice());
    section(&mut text, "Who is told outside", &head.recipients);
    section(&mut text, "How long it is kept, in days", &head.retention);
    section(&mut text, "What happened", &head.events);
    section(&mut text, "Groups, and when", &head.memberships);
    section(&mut text, "Signing in", &head.logins);
    section(&mut text, "Attempts to sign in that were nobody's", &head.logins_of_nobody);
    section(&mut text, "Sessions", &head.sessions);
    section(&mut text, "Requests about them", &body.exchanges);
    section(&mut text, "Requests that name them", &body.named_in);
    text
}

fn section<T: Serialize>(text: &mut String, title: &str, rows: &[T]) {
    text.push_str(&format!("\n{title} ({})\n", rows.len()));
    text.push_str(&"-".repeat(title.len()));
    text.push('\n');
    for (row, number) in rows.iter().zip(1..) {
        text.push_str(&format!("\n{number}.\n"));
        let value = serde_json::to_value(row).unwrap_or_default();
        lines(text, "", &value);
    }
}

/// Each value that is there, with the path to it.
fn lines(text: &mut String, path: &str, value: &Value) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path} {name}"),
    };
    match value {
        Value::Null => {}
        Value::Object(map) => map.iter().for_each(|(name, v)| lines(text, &below(name), v)),
        Value::Array(all) => all.iter().for_each(|v| lines(text, path, v)),
        Value::String(said) => {
            // What came from outside commands no terminal and fakes no line.
            text.push_str(&format!(
                "  {path}: {}\n",
                visible_line(&said.replace(['\r', '\n'], " "))
            ));
        }
        other => text.push_str(&format!("  {path}: {other}\n")),
    }
}
