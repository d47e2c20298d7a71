//! What the console says, in English. No sentence is glued from parts; another language is another
//! file like this one, and another folder of templates.

use axum::http::StatusCode;
use rollcall_projections::console::ConsoleRole;

/// A page that is not there, or another organization's.
pub const NOTHING_HERE: &str =
    "There is no such page here. What was deleted is still found as of a moment before.";
/// A page for admins and operators.
pub const ADMINS_ONLY: &str =
    "Only admins of this organization and operators see this page: ask one of them.";
/// A form for operators.
pub const OPERATORS_ONLY: &str = "Only operators may do this: ask whoever runs Rollcall.";
/// A form of an auditor.
pub const AUDITORS_READ: &str =
    "Auditors read everything and change nothing: ask an admin of this organization.";
/// A form that came from another site.
pub const FOREIGN_FORM: &str = "This did not come from a page of this console, so nothing was done. Open the page here and send it again.";
/// A form of an older session.
pub const STALE_FORM: &str = "This page is of an earlier session, so nothing was done. Go back, reload the page, and send it again.";
/// A form that is too long.
pub const FORM_TOO_LONG: &str = "This is longer than any form here: 512 KiB at most.";
/// A key that opens nothing.
pub const UNKNOWN_KEY: &str = "This key is not known, has ended or was revoked. Paste a whole line of a key file; SCIM tokens open nothing here.";
/// No organization is called so.
pub const UNKNOWN_ORGANIZATION: &str =
    "No organization is called that here. It is the short name in the address of its pages.";
/// A number of days that is none.
pub const NOT_DAYS: &str = "Days are a whole number from 1 to 3650.";
/// An id that is none.
pub const NOT_AN_ID: &str = "Federation needs three ids of Entra, each 32 hexadecimal digits with hyphens: of the tenant, of the principal and of the application.";
/// One request too many.
pub const TOO_MANY: &str = "Too many attempts without a live key: wait a minute and try again.";
/// An answer that did not fit.
pub const TOO_LONG: &str = "The answer is too long for a page: choose less, or download it.";
/// An answer nobody understood.
pub const STRANGE: &str = "The page could not be made. The server's log says why.";
/// The organization's slug was not typed.
pub const NOT_CONFIRMED: &str = "Nothing was done: to confirm, type the organization's slug exactly as it stands beside the field.";
/// Streams are taken.
pub const STREAMS_TAKEN: &str = "Too many live views are open: close one, or wait half a minute.";

/// The page of a link to the console.
pub const OPEN_TITLE: &str = "Open the console";
/// What it does.
pub const OPEN_TEXT: &str =
    "Opening this page has not used the link. Begin uses it, and signs this browser in.";
/// The page of a setup link.
pub const SETUP_TITLE: &str = "Set up single sign-on and provisioning";
/// What it does.
pub const SETUP_TEXT: &str = "You need about ten minutes, and an account in Microsoft Entra that may add an enterprise application. Opening this page has not used the link. Begin uses it, and signs this browser in until the link ends.";

/// The title of a page that says what went wrong.
pub fn status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::BAD_REQUEST => "That could not be read",
        StatusCode::CONFLICT => "That does not fit what is there",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        _ => "That did not work",
    }
}

/// As whom somebody is here.
pub fn role(role: ConsoleRole) -> &'static str {
    match role {
        ConsoleRole::Operator => "Operator",
        ConsoleRole::Admin => "Admin",
        ConsoleRole::Auditor => "Auditor",
        ConsoleRole::Setup => "Setup",
    }
}

/// What kind of caller somebody is.
pub fn actor(kind: &str) -> &str {
    match kind {
        "operator" => "Operator",
        "named_operator" | "local_operator" => "Operator",
        "admin" => "Admin",
        "auditor" => "Auditor",
        "system" => "Rollcall",
        "scim_token" => "Entra",
        "user" => "The person",
        "consumer" => "A consumer",
        "unauthenticated" => "A stranger",
        other => other,
    }
}

/// What a run was.
pub fn run_kind(kind: &str) -> &str {
    match kind {
        "initial" => "Initial cycle",
        "incremental" => "Cycle",
        "restart" => "Restarted cycle",
        "on-demand" => "On demand",
        "connection-test" => "Connection test",
        "account-discovery" => "Account discovery",
        "other-client" => "Another client",
        other => other,
    }
}

/// What a reviewer looks for.
pub fn finding(find: &str) -> &str {
    match find {
        "never-signed-in" => "Who never signed in",
        "idle" => "Who has not signed in for long",
        "leavers" => "Who left",
        "empty-groups" => "Groups that nobody is in",
        other => other,
    }
}

/// How the holder of a credential proves to be it.
pub fn proof(kind: &str) -> &'static str {
    match kind {
        "token" => "a secret token",
        "client-secret" => "a client secret",
        "private-key-jwt" => "a key of its own",
        "federated" => "assertions of Entra",
        _ => "something else",
    }
}

/// What became different.
pub fn difference(what: &str) -> &str {
    match what {
        "created" => "Created",
        "deleted" => "Deleted",
        "enabled" => "Enabled",
        "disabled" => "Disabled",
        "renamed" => "Renamed",
        "changed" => "Changed",
        "joined" => "Joined",
        "left" => "Left",
        other => other,
    }
}

/// Whether cycles come.
pub fn rhythm(state: &str) -> &'static str {
    match state {
        "regular" => "Cycles come as they should",
        "late" => "The next cycle is late",
        "silent" => "Cycles have stopped coming",
        "stretched" => "Cycles come further and further apart, as from a quarantined job",
        _ => "No cycle has come yet",
    }
}

/// Where a failure is put right.
pub fn place(place: &str) -> &'static str {
    match place {
        "entra" => "in Entra",
        "mapping" => "in Entra's attribute mapping",
        "here" => "in Rollcall",
        _ => "nowhere: it heals by itself",
    }
}

/// What was done, after a form sent the browser on; by its word in the address.
pub fn notice(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Saved.",
        "revoked" => "Revoked. It is refused from now on, on every server.",
        "ended" => "Ended, on every server.",
        "switched" => "Switched. Entra tries again what was refused meanwhile.",
        "generated" => "A certificate was generated, and is in use.",
        "rotated" => "A new certificate is in use; the former one still opens what was sent to it.",
        "refreshed" => "The metadata was fetched again.",
        "applied" => "Submitted again. The timeline shows what became of it.",
        "created" => "Created.",
        "let-in" => "Members of the group may sign in to this console.",
        "decided" => "Kept in the log. It changes nobody's access.",
        "paused" => "Paused. It loses nothing: it goes on from where it stood when it is resumed.",
        "added" => "They are told from now on.",
        "removed" => "They are told no more.",
        "sent" => "The mail server has taken a mail to each.",
        "retried" => "They are tried again, each after those about the same that are before it.",
        "handled" => "Kept in the log. What waited behind it is delivered.",
        "resumed" => "Resumed. What is due is tried now.",
        _ => return None,
    })
}
