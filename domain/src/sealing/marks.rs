//! Finds the marked values in a JSON text, and leaves everything around them as it is, byte for
//! byte: a replay compares texts.

use crate::personal::MARK;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Range;

/// How deep a text may be nested.
const DEPTH: usize = 128;

/// Something that is no JSON, or nested deeper than anything of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is no JSON at byte {0}")]
pub struct Malformed(pub usize);

/// Why a text was not rewritten.
#[derive(Debug, PartialEq, Eq)]
pub enum Unsealed<E> {
    /// It cannot be read.
    Malformed(Malformed),
    /// What was to take the place of a value could not be made.
    Value(E),
}

/// Puts something else in the place of each object whose only key is [`MARK`]. `by` is given the
/// path of the object (keys and numbers, each behind a `/`, as they are written) and the text of
/// the value under the mark. There is nothing to be found inside of that value.
pub fn rewrite<E>(
    text: &str,
    by: impl FnMut(&str, &str) -> Result<String, E>,
) -> Result<String, Unsealed<E>> {
    read(text, Find::Marks, by)
}

/// Puts something else in the place of what stands at these paths, marked or not. `by` is given the
/// path, and the text of the value.
pub fn rewrite_at<E>(
    text: &str,
    paths: &BTreeSet<String>,
    by: impl FnMut(&str, &str) -> Result<String, E>,
) -> Result<String, Unsealed<E>> {
    read(text, Find::At(paths), by)
}

/// The paths of the marks in a text.
pub fn marks(text: &str) -> Result<BTreeSet<String>, Malformed> {
    let mut paths = BTreeSet::new();
    let read = rewrite::<Infallible>(text, |path, _| {
        paths.insert(path.to_owned());
        Ok(String::new())
    });
    match read {
        Ok(_) => Ok(paths),
        Err(Unsealed::Malformed(malformed)) => Err(malformed),
        Err(Unsealed::Value(never)) => match never {},
    }
}

fn read<E>(
    text: &str,
    find: Find<'_>,
    by: impl FnMut(&str, &str) -> Result<String, E>,
) -> Result<String, Unsealed<E>> {
    let out = String::with_capacity(text.len() + text.len() / 4);
    let mut reader = Reader { text, at: 0, path: String::new(), taken: 0, out, by };
    reader.value(find, 0)?;
    reader.space();
    if reader.at != text.len() {
        return Err(reader.malformed());
    }
    reader.out.push_str(&text[reader.taken..]);
    Ok(reader.out)
}

/// The text without its marks.
pub fn unmarked(text: &str) -> Result<String, Malformed> {
    rewrite::<Infallible>(text, |_, value| Ok(value.to_owned())).map_err(|e| match e {
        Unsealed::Malformed(malformed) => malformed,
        Unsealed::Value(never) => match never {},
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Find<'p> {
    Marks,
    At(&'p BTreeSet<String>),
    Nothing,
}

struct Reader<'t, F> {
    text: &'t str,
    at: usize,
    path: String,
    /// Up to here the text is in `out`.
    taken: usize,
    out: String,
    by: F,
}

impl<E, F: FnMut(&str, &str) -> Result<String, E>> Reader<'_, F> {
    fn malformed(&self) -> Unsealed<E> {
        Unsealed::Malformed(Malformed(self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes past a byte, and the space before it.
    fn expect(&mut self, byte: u8) -> Result<(), Unsealed<E>> {
        self.space();
        if self.peek() != Some(byte) {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(())
    }

    /// Goes past a byte if it is there.
    fn skip(&mut self, byte: u8) -> bool {
        self.space();
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(&mut self, find: Find<'_>, depth: usize) -> Result<(), Unsealed<E>> {
        self.space();
        if let Find::At(paths) = find
            && paths.contains(&self.path)
        {
            let from = self.at;
            self.value(Find::Nothing, depth)?;
            return self.replace(from, from..self.at);
        }
        match self.peek() {
            Some(_) if depth >= DEPTH => Err(self.malformed()),
            Some(b'{') => {
                if find == Find::Marks && self.marked(depth)? {
                    return Ok(());
                }
                self.members(find, depth)
            }
            Some(b'[') => self.items(find, depth),
            Some(b'"') => self.string().map(drop),
            Some(_) => self.scalar(),
            None => Err(self.malformed()),
        }
    }

    /// Replaces an object that is a marked value. False, and nothing is passed, if it is none.
    fn marked(&mut self, depth: usize) -> Result<bool, Unsealed<E>> {
        let begin = self.at;
        self.at += 1;
        self.space();
        let is_key = self.peek() == Some(b'"') && {
            let key = self.string()?;
            self.text[key] == *MARK
        };
        if is_key {
            self.expect(b':')?;
            self.space();
            let from = self.at;
            self.value(Find::Nothing, depth + 1)?;
            let value = from..self.at;
            if self.skip(b'}') {
                self.replace(begin, value)?;
                return Ok(true);
            }
        }
        self.at = begin;
        Ok(false)
    }

    /// Puts something else in the place of what was passed since.
    fn replace(&mut self, since: usize, value: Range<usize>) -> Result<(), Unsealed<E>> {
        let made = (self.by)(&self.path, &self.text[value]).map_err(Unsealed::Value)?;
        self.out.push_str(&self.text[self.taken..since]);
        self.out.push_str(&made);
        self.taken = self.at;
        Ok(())
    }

    fn members(&mut self, find: Find<'_>, depth: usize) -> Result<(), Unsealed<E>> {
        self.at += 1;
        if self.skip(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let key = self.string()?;
            self.expect(b':')?;
            self.below(find, key, depth)?;
            if !self.skip(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn items(&mut self, find: Find<'_>, depth: usize) -> Result<(), Unsealed<E>> {
        self.at += 1;
        if self.skip(b']') {
            return Ok(());
        }
        for n in 0_usize.. {
            let whole = self.path.len();
            if find != Find::Nothing {
                self.path.push_str(&format!("/{n}"));
            }
            self.value(find, depth + 1)?;
            self.path.truncate(whole);
            if !self.skip(b',') {
                break;
            }
        }
        self.expect(b']')
    }

    fn below(
        &mut self,
        find: Find<'_>,
        key: Range<usize>,
        depth: usize,
    ) -> Result<(), Unsealed<E>> {
        let whole = self.path.len();
        if find != Find::Nothing {
            self.path.push('/');
            self.path.push_str(&self.text[key]);
        }
        self.value(find, depth + 1)?;
        self.path.truncate(whole);
        Ok(())
    }

    /// Goes past a string; gives what is between its quotes, as it is written.
    fn string(&mut self) -> Result<Range<usize>, Unsealed<E>> {
        if self.peek() != Some(b'"') {
            return Err(self.malformed());
        }
        self.at += 1;
        let from = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(from..self.at - 1);
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.malformed()),
            }
        }
    }

    /// Goes past a number or a word.
    fn scalar(&mut self) -> Result<(), Unsealed<E>> {
        let from = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'E')) {
            self.at += 1;
        }
        if self.at == from { Err(self.malformed()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = Vec<(String, String)>;
    /// A text, what becomes of it, and what is found at which paths.
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

    fn found(text: &str) -> Result<(String, Found), Malformed> {
        let mut found = Vec::new();
        let rewritten = rewrite::<Infallible>(text, |path, value| {
            found.push((path.to_owned(), value.to_owned()));
            Ok("_".to_owned())
        });
        match rewritten {
            Ok(text) => Ok((text, found)),
            Err(Unsealed::Malformed(malformed)) => Err(malformed),
            Err(Unsealed::Value(never)) => match never {},
        }
    }

    #[test]
    fn only_an_object_with_the_mark_alone_is_replaced() {
        let cases: [Case; 9] = [
            (r#"{"~":1}"#, "_", &[("", "1")]),
            (r#" { "~" : "a\"}" } "#, " _ ", &[("", r#""a\"}""#)]),
            (
                r#"{"a":[{"~":{}},2,{"~":[{"~":3}]}]}"#,
                r#"{"a":[_,2,_]}"#,
                &[("/a/0", "{}"), ("/a/2", r#"[{"~":3}]"#)],
            ),
            (r#"{"~":1,"b":{"~":2}}"#, r#"{"~":1,"b":_}"#, &[("/b", "2")]),
            (r#"{"b":1,"~":2}"#, r#"{"b":1,"~":2}"#, &[]),
            (r#"{"\u007e":1}"#, r#"{"\u007e":1}"#, &[]),
            (r#"{"x/y":{"~":null}}"#, r#"{"x/y":_}"#, &[("/x/y", "null")]),
            ("-1.5e3", "-1.5e3", &[]),
            ("[ ]", "[ ]", &[]),
        ];
        for (text, rewritten, values) in cases {
            let values = values.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
            assert_eq!(found(text), Ok((rewritten.to_owned(), values)), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_and_not_cut() {
        for text in ["", "{", "[1", r#"{"~":"#, r#""a"#, r#""\"#, "{]", "1 2", r#"{"a" 1}"#, "[,]"]
        {
            assert!(found(text).is_err(), "{text}");
        }
        assert!(found(&"[".repeat(1_000_000)).is_err());
        assert!(found(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
    }
}
