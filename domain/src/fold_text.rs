//! Case folding for values that SCIM compares without regard to case.

use unicode_normalization::UnicodeNormalization as _;

/// The form in which two values are equal when they differ in case only (`caseExact: false`,
/// RFC 7643 section 2.2). Done here and never by a database's collation, so that every store
/// answers alike.
///
/// A `userName` must be compared as PRECIS says (RFC 7644 section 5, RFC 8265 section 3.3): without
/// regard to width and to how accents are composed. For all other texts that is as good.
pub fn fold_text(value: &str) -> String {
    if value.is_ascii() {
        return value.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(value.len());
    value.nfd().for_each(|c| push_folded(c, &mut folded));
    folded.nfc().collect()
}

fn push_folded(c: char, into: &mut String) {
    match c {
        // Its capital is the plain I, but no case folding takes it for an i (Unicode, CaseFolding.txt).
        'ı' => into.push(c),
        // Full width, as East Asian input methods write it.
        '\u{ff01}'..='\u{ff5e}' => into.extend(char::from_u32(u32::from(c) - 0xfee0).map(|narrow| narrow.to_ascii_lowercase())),
        '\u{3000}' => into.push(' '),
        // Down, up and down again joins what one step keeps apart (ẞ/ß/SS, ſ/s, ς/σ).
        c => into.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)),
    }
}

#[cfg(test)]
mod tests {
    use super::fold_text;

    #[test]
    fn equal_but_for_case_folds_alike() {
        for (a, b) in [
            ("ADA@Contoso.example", "ada@contoso.EXAMPLE"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΟΔΟΣ", "οδος"),
            ("İzmir", "i\u{307}zmir"),
            ("Café", "cafe\u{301}"),
            ("ÉCOLE", "e\u{301}cole"),
            ("ＡＤＡ　１", "ada 1"),
        ] {
            assert_eq!(fold_text(a), fold_text(b), "{a} and {b}");
        }
    }

    #[test]
    fn different_letters_stay_apart() {
        for (a, b) in [("ada", "adá"), ("ılker", "ilker"), ("İlker", "ilker"), ("a1", "a①")] {
            assert_ne!(fold_text(a), fold_text(b), "{a} and {b}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let once = fold_text(&c.to_string());
            assert_eq!(fold_text(&once), once, "{c:?} ({:x})", u32::from(c));
        }
    }
}
