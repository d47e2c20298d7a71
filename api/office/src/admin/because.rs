//! An operator's reason for what cannot be undone.

use rollcall_domain::deployment::BECAUSE_CHARACTERS;
use rollcall_door::Refusal;

/// The reason, without spaces around it.
///
/// # Errors
/// 400 if it says nothing, or too much.
pub fn because(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let is_one = !text.is_empty()
        && text.chars().count() <= BECAUSE_CHARACTERS
        && !text.chars().any(char::is_control);
    is_one.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::parameter(
            "because",
            format!(
                "because must be 1 to {BECAUSE_CHARACTERS} characters without control characters"
            ),
        )
    })
}
