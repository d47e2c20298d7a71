//! The digests of a backup: one for each section, and one for the whole. Whoever writes a backup
//! and whoever reads it, here or there, counts and hashes by this.

use sha2::{Digest, Sha256};

/// What has gone through so far.
#[derive(Clone, Default)]
pub struct Digests {
    whole: Sha256,
    section: Sha256,
    lines: u64,
}

/// A section as it was counted and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Its lines.
    pub lines: u64,
    /// SHA-256 over their bytes, ends of lines included, in lower-case hex.
    pub sha256: String,
}

impl Digests {
    /// A line of a section, with its end.
    pub fn line(&mut self, line: &[u8]) {
        self.whole.update(line);
        self.section.update(line);
        self.lines += 1;
    }

    /// The section that ends here; the next one begins.
    pub fn section(&mut self) -> Sum {
        let sha256 = hex(&std::mem::take(&mut self.section).finalize());
        Sum { lines: std::mem::take(&mut self.lines), sha256 }
    }

    /// A line between sections, with its end.
    pub fn between(&mut self, line: &[u8]) {
        self.whole.update(line);
    }

    /// All that has gone through.
    pub fn whole(&self) -> String {
        hex(&self.whole.clone().finalize())
    }
}

/// What a line of data keys has for a digest.
pub fn digest_of_keys(keys: &[(u64, Option<String>)]) -> String {
    let mut sha256 = Sha256::new();
    for (id, key) in keys {
        sha256.update(format!("{id} {}\n", key.as_deref().unwrap_or("erased")));
    }
    hex(&sha256.finalize())
}

/// The digest of one text.
pub fn digest_of_text(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
