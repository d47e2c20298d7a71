//! Bodies that come compressed (RFC 9110 section 8.4).

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use rollcall_domain::scim::ScimError;
use std::io::{ErrorKind, Read};

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// `gzip`.
    Gzip,
    /// `deflate`: zlib, or what some clients take for it, deflate without zlib around it.
    Deflate,
}

impl Encoding {
    /// Reads `Content-Encoding`. One that is not known is 415, and so are several at once.
    pub fn of(headers: &HeaderMap) -> Result<Self, ScimError> {
        let mut named = headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .flat_map(|v| v.to_str().unwrap_or("?").split(','));
        let named: Vec<String> = named
            .by_ref()
            .map(|n| n.trim().to_ascii_lowercase())
            .filter(|n| !n.is_empty())
            .collect();
        match named.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] | ["identity"] => Ok(Self::Identity),
            ["gzip" | "x-gzip"] => Ok(Self::Gzip),
            ["deflate"] => Ok(Self::Deflate),
            _ => Err(ScimError::plain(
                415,
                "the body is encoded in a way that is not read here: send it plain, or as gzip or deflate",
            )),
        }
    }

    /// The body as it was before it was encoded, of at most `limit` bytes.
    pub async fn decode(self, body: Bytes, limit: usize) -> Result<Bytes, ScimError> {
        if self == Self::Identity || body.is_empty() {
            return Ok(body);
        }
        let inflated = tokio::task::spawn_blocking(move || self.inflate(&body, limit)).await;
        inflated.map_err(|_| super::failure::damaged("a body was not inflated"))?
    }

    fn inflate(self, body: &[u8], limit: usize) -> Result<Bytes, ScimError> {
        match self {
            Self::Identity => Ok(Bytes::copy_from_slice(body)),
            Self::Gzip => read(MultiGzDecoder::new(body), limit),
            // The first byte of zlib says "deflate" in its low half (RFC 1950 section 2.2).
            Self::Deflate if body.first().is_some_and(|b| b & 0x0f == 8) => {
                read(ZlibDecoder::new(body), limit).or_else(|e| {
                    if e.status == 413 { Err(e) } else { read(DeflateDecoder::new(body), limit) }
                })
            }
            Self::Deflate => read(DeflateDecoder::new(body), limit),
        }
    }
}

fn read(decoder: impl Read, limit: usize) -> Result<Bytes, ScimError> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(most).read_to_end(&mut out) {
        Ok(_) if out.len() > limit => Err(ScimError::too_large(format!(
            "the body is longer than {limit} bytes once it is unpacked: send fewer members or operations per request"
        ))),
        Ok(_) => Ok(Bytes::from(out)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(ScimError::invalid_syntax("the compressed body broke off"))
        }
        Err(_) => {
            Err(ScimError::invalid_syntax("the body is not encoded as its Content-Encoding says"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write as _;

    fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
        let level = Compression::best();
        match encoding {
            "gzip" => {
                let mut to = GzEncoder::new(Vec::new(), level);
                to.write_all(plain).unwrap();
                to.finish().unwrap()
            }
            "zlib" => {
                let mut to = ZlibEncoder::new(Vec::new(), level);
                to.write_all(plain).unwrap();
                to.finish().unwrap()
            }
            _ => {
                let mut to = DeflateEncoder::new(Vec::new(), level);
                to.write_all(plain).unwrap();
                to.finish().unwrap()
            }
        }
    }

    #[test]
    fn all_that_is_packed_comes_out_within_the_limit_and_nothing_beyond() {
        let bodies: [&[u8]; 3] = [b"", b"{\"userName\":\"a\"}", &[b'x'; 5_000]];
        for (packing, encoding) in
            [("gzip", Encoding::Gzip), ("zlib", Encoding::Deflate), ("raw", Encoding::Deflate)]
        {
            for plain in bodies {
                let body = packed(packing, plain);
                assert_eq!(
                    encoding.inflate(&body, 5_000).as_deref().ok(),
                    Some(plain),
                    "{packing}"
                );
                if plain.len() > 1 {
                    assert_eq!(
                        encoding.inflate(&body, plain.len() - 1).map_err(|e| e.status),
                        Err(413),
                        "{packing}"
                    );
                    let cut = encoding.inflate(&body[..body.len() / 2], 5_000);
                    assert!(cut.is_err_and(|e| e.status == 400), "{packing}");
                }
            }
        }
        // 64 MiB of nothing in a few KiB: no more of it is unpacked than may be kept.
        let bomb = packed("gzip", &vec![0; 64 * 1024 * 1024]);
        assert_eq!(Encoding::Gzip.inflate(&bomb, 1024).map_err(|e| e.status), Err(413));
        assert_eq!(Encoding::Gzip.inflate(b"not packed", 1024).map_err(|e| e.status), Err(400));
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut byte = 7u8;
        for length in 0..600 {
            let body: Vec<u8> = (0..length)
                .map(|_| {
                    byte = byte.wrapping_mul(31).wrapping_add(17);
                    byte
                })
                .collect();
            for encoding in [Encoding::Gzip, Encoding::Deflate] {
                let found = encoding.inflate(&body, 1_000);
                assert!(
                    found
                        .as_ref()
                        .map_or_else(|e| matches!(e.status, 400 | 413), |b| b.len() <= 1_000),
                    "{found:?}"
                );
            }
        }
    }
}
