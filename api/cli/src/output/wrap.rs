//! Sentences in so many columns.

use super::fit::Fit;
use unicode_width::UnicodeWidthStr as _;

/// Breaks lines between words, where tables are fitted. What follows begins below what began it, or
/// after so many columns where that is more. A word stays whole, also one that is too long: it may be
/// there to be copied.
pub fn wrapped(text: &str, fit: Fit, indent: usize) -> String {
    let Fit::Columns(most) = fit else { return text.to_owned() };
    text.split('\n').map(|line| one(line, most, indent)).collect::<Vec<_>>().join("\n")
}

fn one(line: &str, most: usize, indent: usize) -> String {
    if line.width() <= most {
        return line.to_owned();
    }
    let begins = line.len() - line.trim_start_matches(' ').len();
    let indent = indent.max(begins).min(most / 2);
    let (mut out, mut used, mut is_first) = (String::new(), 0, true);
    for word in line.split(' ') {
        // Blanks in a row are kept, within a line.
        let needed = word.width() + usize::from(!is_first);
        if used + needed > most && used > indent && !word.is_empty() {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            out.push_str(word);
            used = indent + word.width();
        } else {
            if !is_first {
                out.push(' ');
            }
            out.push_str(word);
            used += needed;
        }
        is_first = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_stands_below_what_began() {
        let line = "Kind        one two three four five six seven";
        let fitted = "Kind        one two three\n            four five six\n            seven";
        assert_eq!(wrapped(line, Fit::Columns(26), 12), fitted);
        assert_eq!(wrapped(line, Fit::Whole, 12), line);
        assert_eq!(wrapped("  a bb ccc", Fit::Columns(6), 0), "  a bb\n  ccc");
        let word = "https://rollcall.example.com/a/long/address";
        assert_eq!(wrapped(word, Fit::Columns(20), 0), word);
    }

    #[test]
    fn the_words_stay_and_lines_are_short() {
        let words: Vec<String> = (0..60).map(|n| "x".repeat(1 + n * 7 % 9)).collect();
        let line = words.join(" ");
        for most in 20..100 {
            let told = wrapped(&line, Fit::Columns(most), 4);
            assert!(told.lines().all(|line| line.width() <= most), "{told}");
            assert_eq!(told.split_whitespace().collect::<Vec<_>>().join(" "), line);
        }
    }
}
