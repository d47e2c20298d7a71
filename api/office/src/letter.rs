//! What mail says. It names an organization and counts, never a person and no secret: mail lies about
//! for long, and is read by others.

use rollcall_contract::attention::{Cause, NeedBody};
use rollcall_contract::time;
use rollcall_mail::Letter;
use rollcall_projections::notices::Told;
use rollcall_projections::organizations::OrganizationRow;

/// Tells what is due, of what stands now.
pub fn of(row: &OrganizationRow, told: &[Told], needs: &[NeedBody], public_url: &str) -> Letter {
    let (mut stands, mut over) = (String::new(), String::new());
    let (mut news, mut titles) = (0_usize, Vec::new());
    for told in told {
        let Some(cause) = Cause::parse(&told.cause) else { continue };
        if told.is_over {
            over.push_str(&format!("* {}\n", cause.title()));
            continue;
        }
        let Some(need) = needs.iter().find(|need| need.cause == cause) else { continue };
        news += 1;
        titles.push(need.title.clone());
        stands.push_str(&format!("* {}. {}", need.title, need.detail));
        if let Some(since) = need.since {
            stands.push_str(&format!(" Since {}.", time::text(since)));
        }
        stands.push_str(&format!("\n  {public_url}{}\n", need.page));
    }
    let name = &row.name;
    let subject = match (news, titles.first()) {
        (0, _) | (_, None) => format!("{name}: right again"),
        (1, Some(title)) => format!("{name}: {title}"),
        (n, _) => format!("{name}: {n} things need somebody"),
    };
    let mut text = String::new();
    if !stands.is_empty() {
        text.push_str(&format!("In {name} something needs somebody:\n\n{stands}\n"));
    }
    if !over.is_empty() {
        text.push_str(&format!("Right again:\n\n{over}\n"));
    }
    text.push_str(&foot(row, public_url));
    Letter { subject, text }
}

/// A mail to see that mail arrives.
pub fn test(row: &OrganizationRow, public_url: &str) -> Letter {
    let name = &row.name;
    let text = format!(
        "This is a test. You are told by mail when something in {name} needs somebody.\n\n{}",
        foot(row, public_url)
    );
    Letter { subject: format!("{name}: a test"), text }
}

fn foot(row: &OrganizationRow, public_url: &str) -> String {
    let slug = &row.domain;
    format!(
        "-- \nRollcall, {public_url}/o/{slug}\nFor one cause no more than one mail an hour, and once a day while it lasts.\n\
         No more of these: rollcall notify remove --org {slug} --mail ADDRESS\n"
    )
}
