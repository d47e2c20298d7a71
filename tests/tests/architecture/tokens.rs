//! The words of a source file, as far as rules about modules need them.

/// One name that a `use` brings.
#[derive(Debug, PartialEq)]
pub struct Use {
    /// What is said before the name it is given, with the name itself.
    pub path: Vec<String>,
    /// What it is called here; none for everything (`*`).
    pub name: Option<String>,
}

/// Words, `::` and single marks; without comments, literals, and what only tests see.
pub fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let mut tokens: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or_default();
        let until = |from: usize, end: char| {
            (from..chars.len()).find(|n| chars[*n] == end).unwrap_or(chars.len())
        };
        if c == '/' && next == '/' {
            at = until(at, '\n');
        } else if c == '"' {
            at = end_of_text(&chars, at);
        } else if c == '\'' {
            // A letter between quotes, or a lifetime.
            at = if next == '\\' {
                until(at + 3, '\'') + 1
            } else {
                at + if chars.get(at + 2) == Some(&'\'') { 3 } else { 1 }
            };
        } else if is_word(&c) {
            let end = (at..chars.len()).find(|n| !is_word(&chars[*n])).unwrap_or(chars.len());
            let word: String = chars[at..end].iter().collect();
            let quote = (end..chars.len()).find(|n| chars[*n] != '#').unwrap_or(end);
            if matches!(word.as_str(), "r" | "br" | "cr") && chars.get(quote) == Some(&'"') {
                at = end_of_raw_text(&chars, quote, quote - end);
            } else {
                tokens.push(word);
                at = end;
            }
        } else if c == ':' && next == ':' {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    without_tests(&tokens)
}

/// Behind the end of a text that begins at `at`.
fn end_of_text(chars: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(c) = chars.get(at).filter(|c| **c != '"') {
        at += if *c == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The same of a raw one, whose end has so many `#`.
fn end_of_raw_text(chars: &[char], quote: usize, marks: usize) -> usize {
    let ends = |n: &usize| {
        chars[*n] == '"'
            && chars[n + 1..].iter().take(marks).filter(|c| **c == '#').count() == marks
    };
    (quote + 1..chars.len()).find(ends).map_or(chars.len(), |n| n + 1 + marks)
}

/// The same without items that are there in tests only.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at..].iter().take(TEST.len()).eq(TEST) {
            at = end_of_item(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Behind the `;` or the `}` that ends an item.
fn end_of_item(tokens: &[String], from: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(from) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(token.as_str(), "}" | ";") {
            return n + 1;
        }
    }
    tokens.len()
}

/// The names that a file brings in, and the other paths of more than one word in it.
pub fn uses_and_paths(tokens: &[String]) -> (Vec<Use>, Vec<Vec<String>>) {
    let (mut uses, mut paths) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let after = |n: usize| tokens.get(at + n).map_or("", String::as_str);
        if after(0) == "use" && after(1) != "<" {
            at += 1;
            tree(tokens, &mut at, &[], &mut uses);
        } else if after(1) == "::" && (at == 0 || tokens[at - 1] != "::") {
            let mut path = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|t| t == "::")
                && tokens.get(at + 2).is_some_and(|t| is_name(t))
            {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            paths.push(path);
            at += 1;
        } else {
            at += 1;
        }
    }
    (uses, paths)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// One branch of a `use`, up to its `,`, `}` or `;`.
fn tree(tokens: &[String], at: &mut usize, before: &[String], uses: &mut Vec<Use>) {
    let mut path = before.to_vec();
    let mut name = None;
    while let Some(token) = tokens.get(*at) {
        match token.as_str() {
            "," | "}" | ";" => break,
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|t| t != "}") {
                    tree(tokens, at, &path, uses);
                    *at += usize::from(tokens.get(*at).is_some_and(|t| t == ","));
                }
                *at += 1;
                return;
            }
            "*" => {
                *at += 1;
                uses.push(Use { path, name: None });
                return;
            }
            "as" => {
                *at += 1;
                name = tokens.get(*at).cloned();
            }
            "self" if !path.is_empty() => {}
            word if is_name(word) => path.push(word.to_owned()),
            _ => {}
        }
        *at += 1;
    }
    let name = name.or_else(|| path.last().cloned());
    uses.push(Use { path, name });
}
