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

/// A way to fold a `userName`. What is kept under the folded name, such as a claim, says which one
/// made it; so a name that is folded in a new way is found again under the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameFold {
    /// Case, width and composition do not count; blanks at the ends do.
    AsSent,
    /// Neither does what nobody sees at the ends: blanks, line feeds, control characters and marks
    /// that are ignored by default.
    Trimmed,
}

impl NameFold {
    /// All of them, the oldest first.
    pub const ALL: [NameFold; 2] = [NameFold::AsSent, NameFold::Trimmed];
    /// The one that is used.
    pub const CURRENT: NameFold = NameFold::Trimmed;

    /// The stable name in what is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            NameFold::AsSent => "as_sent",
            NameFold::Trimmed => "trimmed",
        }
    }

    /// The form in which two names are equal that make one user.
    pub fn fold(self, name: &str) -> String {
        match self {
            NameFold::AsSent => fold_text(name),
            NameFold::Trimmed => fold_text(name.trim_matches(is_unseen)),
        }
    }
}

/// The form in which two `userName`s are equal: [`NameFold::CURRENT`].
pub fn fold_user_name(name: &str) -> String {
    NameFold::CURRENT.fold(name)
}

/// Whether a character shows nothing at the end of a text: Unicode's `White_Space`, `Cc` and
/// `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, Unicode 16).
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn push_folded(c: char, into: &mut String) {
    match c {
        // Its capital is the plain I, but no case folding takes it for an i (Unicode,
        // CaseFolding.txt).
        'ı' => into.push(c),
        // Full width, as East Asian input methods write it.
        '\u{ff01}'..='\u{ff5e}' => into.extend(
            char::from_u32(u32::from(c) - 0xfee0).map(|narrow| narrow.to_ascii_lowercase()),
        ),
        '\u{3000}' => into.push(' '),
        // Down, up and down again joins what one step keeps apart (ẞ/ß/SS, ſ/s, ς/σ).
        c => {
            into.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NameFold, fold_text, fold_user_name, is_unseen};

    #[test]
    fn what_nobody_sees_at_the_ends_makes_no_other_user() {
        let unseen = (0..=0x0010_ffff)
            .filter_map(char::from_u32)
            .filter(|c| is_unseen(*c))
            .collect::<Vec<_>>();
        assert!(unseen.len() > 4_000, "{}", unseen.len());
        for c in unseen {
            for name in [format!("Ada@x{c}"), format!("{c}Ada@x"), format!("{c}\r\n Ada@x\t{c}{c}")]
            {
                assert_eq!(fold_user_name(&name), "ada@x", "{c:?}");
                assert_ne!(NameFold::AsSent.fold(&name), "ada@x", "{c:?}");
            }
            // In the middle it tells two names apart, as before.
            assert_ne!(fold_user_name(&format!("Ada{c}@x")), "ada@x", "{c:?}");
        }
        for c in ['a', '1', 'é', '@', '.', '\u{301}', '王', '🙂'] {
            assert!(!is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn each_way_folds_once_and_for_all() {
        for fold in NameFold::ALL {
            for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
                let once = fold.fold(&format!("{c}a{c}"));
                assert_eq!(fold.fold(&once), once, "{fold:?} {c:?}");
            }
        }
    }

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
