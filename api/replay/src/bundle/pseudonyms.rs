//! Names stand for others, the same one for the same one everywhere.
//!
//! A text is cut at everything that is no letter and no digit, and each word has its pseudonym: so
//! `ada.keller@contoso.example` and `Ada Keller` still belong together, an address is still an
//! address, and upper and lower case are as they were. Ids that were given here, schemas, attribute
//! names and what the protocol fixes are kept; other ids become other ids, the server's address
//! another one. The key is drawn for one bundle and kept nowhere.

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Values under these names are the protocol's, not a person's.
const KEPT: [&str; 27] = [
    "schemas",
    "op",
    "type",
    "$ref",
    "location",
    "resourcetype",
    "version",
    "id",
    "status",
    "scimtype",
    "bulkid",
    "method",
    "attribute",
    "attributes",
    "excludedattributes",
    "sortby",
    "sortorder",
    "created",
    "lastmodified",
    "token",
    "sha256",
    "expires_at",
    "startindex",
    "count",
    "failonerrors",
    "totalresults",
    "itemsperpage",
];
/// Comparisons with these attributes are kept.
const KEPT_IN_FILTERS: [&str; 3] = ["type", "primary", "active"];
/// Tries before a pseudonym is made longer than its word.
const TRIES: u32 = 64;

/// The pseudonyms of one bundle.
pub struct Pseudonyms {
    key: [u8; 32],
    known: HashMap<String, String>,
    used: HashSet<String>,
}

impl Pseudonyms {
    /// Pseudonyms under a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, known: HashMap::new(), used: HashSet::new() }
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> String {
        if let Some(id) = self.id(text) {
            return id;
        }
        if text.starts_with("urn:") {
            return text.to_owned();
        }
        // Entra sends JSON inside strings (legacy roles).
        if text.starts_with(['{', '['])
            && let Ok(mut inner) = serde_json::from_str::<Value>(text)
        {
            self.json(&mut inner);
            return inner.to_string();
        }
        let (mut out, mut word) = (String::with_capacity(text.len()), String::new());
        for c in text.chars() {
            if c.is_alphanumeric() {
                word.push(c);
                continue;
            }
            self.finish(&mut word, &mut out);
            out.push(c);
        }
        self.finish(&mut word, &mut out);
        out
    }

    /// An id. Those that were given here are of version 7 (RFC 9562 section 5.7), and say nothing of
    /// anybody; any other is somebody's name for a person, such as an object id of Entra.
    fn id(&self, text: &str) -> Option<String> {
        let id = text.parse::<Uuid>().ok()?;
        if id.get_version_num() == 7 || id.is_nil() {
            return Some(text.to_owned());
        }
        let mut other = [0; 16];
        other.copy_from_slice(&self.block(&id.to_string(), 0, 0)[..16]);
        // What it is not, it does not become.
        other[6] = (id.as_bytes()[6] & 0xf0) | (other[6] & 0x0f);
        other[8] = (id.as_bytes()[8] & 0xc0) | (other[8] & 0x3f);
        let other = Uuid::from_bytes(other);
        let other = match text.len() {
            32 => other.simple().to_string(),
            36 => other.to_string(),
            38 => other.braced().to_string(),
            _ => other.urn().to_string(),
        };
        let upper = text.chars().any(|c| c.is_ascii_uppercase());
        Some(if upper { other.to_ascii_uppercase() } else { other })
    }

    /// All names in a value.
    pub fn json(&mut self, value: &mut Value) {
        self.value(value, "");
    }

    /// The literals of a filter, or of a path with a filter in it.
    pub fn filter(&mut self, filter: &str) -> String {
        let (mut out, mut rest) = (String::new(), filter);
        while let Some(start) = rest.find('"') {
            let (before, tail) = rest.split_at(start);
            out.push_str(before);
            let Some(end) = literal_end(tail) else {
                rest = tail;
                break;
            };
            let (literal, after) = tail.split_at(end);
            let attribute = compared(&out);
            match serde_json::from_str::<String>(literal) {
                Ok(text) if !KEPT_IN_FILTERS.contains(&attribute.as_str()) => {
                    out.push_str(&Value::from(self.text(&text)).to_string())
                }
                _ => out.push_str(literal),
            }
            rest = after;
        }
        out + rest
    }

    /// An error's text: what it quotes, and addresses.
    pub fn detail(&mut self, detail: &str) -> String {
        let mut quoted = false;
        let mut parts = Vec::new();
        for part in detail.split('"') {
            let plain = |this: &mut Self| {
                let word = |w: &str| if w.contains('@') { this.text(w) } else { w.to_owned() };
                part.split(' ').map(word).collect::<Vec<_>>().join(" ")
            };
            parts.push(if quoted { self.text(part) } else { plain(self) });
            quoted = !quoted;
        }
        parts.join("\"")
    }

    /// Path and query of a request. Encoded anew, so not always as it came.
    pub fn target(&mut self, target: &str) -> String {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut last = "";
        let segments: Vec<String> = path
            .split('/')
            .map(|segment| {
                // Below an endpoint stands an id, or what somebody took for one.
                let endpoint = ["users", "groups"].iter().any(|e| last.eq_ignore_ascii_case(e));
                last = segment;
                if endpoint && segment != ".search" {
                    self.text(segment)
                } else {
                    segment.to_owned()
                }
            })
            .collect();
        let path = segments.join("/");
        let Some(query) = query else { return path };
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) if name.eq_ignore_ascii_case("filter") => {
                    match rollcall_domain::scim::decode_form(value) {
                        Ok(filter) => format!("{name}={}", encode(&self.filter(&filter))),
                        Err(_) => format!("{name}="),
                    }
                }
                _ => pair.to_owned(),
            })
            .collect();
        format!("{path}?{}", pairs.join("&"))
    }

    fn value(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::String(text) => match name.to_ascii_lowercase().as_str() {
                "path" | "filter" => *text = self.filter(text),
                "detail" => *text = self.detail(text),
                kept if KEPT.contains(&kept) => {}
                _ => *text = self.text(text),
            },
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, name)),
            // A number may come back as a text.
            Value::Number(number)
                if number.is_u64() && !KEPT.contains(&name.to_ascii_lowercase().as_str()) =>
            {
                if let Ok(other) = self.text(&number.to_string()).parse::<u64>() {
                    *number = other.into();
                }
            }
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    // `emails[type eq "work"].value` may be a key; what it is about comes last.
                    let name = name.rsplit(['.', ':']).next().unwrap_or(name).to_owned();
                    self.value(value, &name);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, word: &mut String, out: &mut String) {
        if word.is_empty() {
            return;
        }
        let folded = word.to_lowercase();
        if folded == "true" || folded == "false" {
            out.push_str(word);
        } else {
            let pseudonym = self.word(folded);
            let mut cases = word.chars().map(char::is_uppercase);
            out.extend(
                pseudonym.chars().map(|c| {
                    if cases.next().unwrap_or(false) { c.to_ascii_uppercase() } else { c }
                }),
            );
        }
        word.clear();
    }

    /// No two words have the same one: what was unique stays so.
    fn word(&mut self, folded: String) -> String {
        if let Some(known) = self.known.get(&folded) {
            return known.clone();
        }
        for attempt in 0_u32.. {
            let candidate = self.candidate(&folded, attempt);
            if candidate != folded && self.used.insert(candidate.clone()) {
                self.known.insert(folded, candidate.clone());
                return candidate;
            }
        }
        folded
    }

    fn candidate(&self, folded: &str, attempt: u32) -> String {
        let longer = attempt.checked_sub(TRIES).map_or(0, |n| 1 + n as usize / 26);
        let pattern =
            folded.chars().map(|c| c.is_ascii_digit()).chain(std::iter::repeat_n(false, longer));
        let mut block = [0_u8; 32];
        let letter = |(i, digit): (usize, bool)| {
            if i % 32 == 0 {
                block = self.block(folded, attempt, i);
            }
            let byte = block[i % 32];
            char::from(match digit {
                true if i == 0 && !folded.starts_with('0') => b'1' + byte % 9,
                true => b'0' + byte % 10,
                false => b'a' + byte % 26,
            })
        };
        pattern.enumerate().map(letter).collect()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn block(&self, folded: &str, attempt: u32, at: usize) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(&attempt.to_be_bytes());
        mac.update(&(at as u64).to_be_bytes());
        mac.update(folded.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Where a JSON string at the beginning of a text ends.
fn literal_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// The attribute that a filter compares right before its end.
fn compared(filter: &str) -> String {
    let mut words = filter.split_whitespace().rev();
    let attribute = words.nth(1).unwrap_or_default();
    attribute.rsplit(['[', '(', '.', ':']).next().unwrap_or_default().to_ascii_lowercase()
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new([7; 32])
    }

    #[test]
    fn the_same_name_has_the_same_pseudonym_everywhere() {
        let mut p = pseudonyms();
        let (name, address) = (p.text("Ada Keller"), p.text("ada.keller@contoso.example"));
        let (first, last) = name.split_once(' ').unwrap();
        assert!(
            address.starts_with(&format!("{}.{}@", first.to_lowercase(), last.to_lowercase())),
            "{name} {address}"
        );
        assert!(
            first.starts_with(|c: char| c.is_uppercase()) && !name.to_lowercase().contains("ada"),
            "{name}"
        );
        let filter = p.filter(r#"emails[type eq "work"].value eq "ada.keller@contoso.example""#);
        assert_eq!(filter, format!(r#"emails[type eq "work"].value eq "{address}""#));
        let target = p
            .target("/scim/v2/Users?filter=userName+eq+%22ada.keller%40contoso.example%22&count=1");
        assert!(target.contains(&encode(&address)) && target.ends_with("&count=1"), "{target}");
        let mut body = json!({"userName": "ada.keller@contoso.example", "active": "False", "id": "kept", "schemas": ["urn:x:User"],
            "Operations": [{"op": "Add", "path": "emails[type eq \"work\"].value", "value": "ada.keller@contoso.example"}]});
        p.json(&mut body);
        assert_eq!(body["userName"], address.as_str());
        assert_eq!(body["Operations"][0]["value"], address.as_str());
        assert_eq!(
            (&body["active"], &body["id"], &body["schemas"][0]),
            (&json!("False"), &json!("kept"), &json!("urn:x:User"))
        );
        assert_eq!(body["Operations"][0]["path"], "emails[type eq \"work\"].value");
    }

    #[test]
    fn different_names_stay_different_and_ids_are_kept() {
        let mut p = pseudonyms();
        let all: HashSet<String> =
            ('a'..='z').chain('ä'..='ö').map(|c| p.text(&c.to_string())).collect();
        assert_eq!(all.len(), 26 + ('ä'..='ö').count());
        let id = "01a20bb3-b0eb-7dde-9ce9-34537b824982".to_owned();
        assert_eq!(p.text(&id), id);
        let foreign = "6a8cb2f5-0a33-4c2b-9a1e-3f0f6f0c1d2e";
        let other = p.text(foreign);
        assert!(other != foreign && other.parse::<Uuid>().is_ok(), "{other}");
        assert_eq!(p.text(&foreign.to_uppercase()), other.to_uppercase());
        assert_eq!(
            p.filter(&format!("externalId eq \"{foreign}\"")),
            format!("externalId eq \"{other}\"")
        );
        assert_eq!(
            p.detail(&format!("this userName is already used by user {id}")),
            format!("this userName is already used by user {id}")
        );
        assert!(!p.detail("there is no user with id \"ada\", ask bo@x.example").contains("ada"));
    }

    #[test]
    fn another_key_gives_other_pseudonyms() {
        assert_ne!(
            Pseudonyms::new([1; 32]).text("keller"),
            Pseudonyms::new([2; 32]).text("keller")
        );
        assert_eq!(
            Pseudonyms::new([1; 32]).text("keller"),
            Pseudonyms::new([1; 32]).text("keller")
        );
    }
}
