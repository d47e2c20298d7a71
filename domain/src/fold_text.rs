//! Case folding for values that SCIM compares without regard to case.

/// The form in which two values are equal when they differ in case only (`caseExact: false`,
/// RFC 7643 section 2.2). Done here and never by a database's collation, so that every store
/// answers alike.
pub fn fold_text(value: &str) -> String {
    // Upper-casing first joins characters that only lower-casing keeps apart (ß/SS, ſ/s, ς/σ).
    value.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::fold_text;

    #[test]
    fn equal_but_for_case_folds_alike() {
        for (a, b) in [("ADA@Contoso.example", "ada@contoso.EXAMPLE"), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος")] {
            assert_eq!(fold_text(a), fold_text(b), "{a} and {b}");
        }
        assert_ne!(fold_text("ada"), fold_text("adá"));
    }
}
