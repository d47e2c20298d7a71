//! Characters that command a terminal, or turn a text around, shown as what they are.

use std::borrow::Cow;

/// A cell, or a value: on one line, and nothing in it that a terminal obeys.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| commands(c).then(|| c.escape_debug().to_string()))
}

/// As [`visible`], but lines end where they end.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| (commands(c) && c != '\n').then(|| c.escape_debug().to_string()))
}

/// JSON stays the same JSON: what its writer leaves as it is, is written as an escape.
pub fn control_to_json(json: &str) -> Cow<'_, str> {
    escaped(json, |c| (commands(c) && c != '\n').then(|| format!("\\u{:04x}", u32::from(c))))
}

/// C0, DEL and C1, and the marks by which a text changes its direction (UAX 9).
fn commands(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

fn escaped(text: &str, escape: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    if !text.chars().any(|c| escape(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let each = text.chars().map(|c| escape(c).unwrap_or_else(|| c.to_string()));
    Cow::Owned(each.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_a_terminal() {
        let every = (0..=0x9f_u8).map(char::from).chain("\u{202e}\u{2066}\u{200f}\u{61c}".chars());
        for c in every.filter(|c| commands(*c)) {
            let text = format!("a{c}b");
            assert!(!visible(&text).chars().any(commands), "{text:?}");
            assert!(!line(&text).chars().any(|c| commands(c) && c != '\n'), "{text:?}");
        }
        for text in ["Zoë O'Neill", "Žižek", "山田 太郎", "a, b: c; \"d\""] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn json_says_the_same_with_escapes() {
        let value = serde_json::json!({ "name": "a\u{9b}31m\u{202e}b\u{7f}c\u{1b}", "é": 1 });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = control_to_json(&text);
        assert!(!escaped.chars().any(|c| commands(c) && c != '\n'), "{escaped:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
