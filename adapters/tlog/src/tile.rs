//! Tiles: the tree of a log as static files (tlog-tiles, "Merkle Tree" and "Log entries").
//!
//! A tile is a run of nodes of one level; tiles of one level are told apart by their index from the
//! left. Each level of tiles is eight levels of the tree above the one before.

use crate::line::decimal;
use rollcall_domain::ledger::{HASH_BYTES, MAX_LEAVES, NodeHash, Place, node};
use std::fmt;
use std::str::FromStr;

/// Nodes of a full tile.
pub const WIDTH: u64 = 256;

/// Levels of the tree between one level of tiles and the next.
pub const HEIGHT: u8 = 8;

/// The highest level that a path may name.
pub const MAX_LEVEL: u8 = 63;

/// Characters of a path at most: an index has seven groups of digits at most.
const MAX_PATH: usize = 64;

/// What a tile is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Nodes of the tree, so many levels of tiles above the leaves.
    Nodes(u8),
    /// Entries: see [`crate::bundle`].
    Entries,
}

/// Names a tile, full or partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    level: Level,
    index: u64,
    width: u16,
}

/// Why a path names no tile, or bytes are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a path as the specification writes it.
    #[error("this is not the path of a tile")]
    Path,
    /// Another number of hashes than its width.
    #[error("a tile of {0} hashes has 32 bytes for each of them")]
    Length(u16),
}

impl Tile {
    /// The tile with a node of a tree of `size` leaves, as wide as that tree has it; none if the
    /// tree has no complete subtree there.
    pub fn with(place: Place, size: u64) -> Option<Self> {
        if place.index >= size.checked_shr(u32::from(place.level)).unwrap_or(0) {
            return None;
        }
        let level = place.level / HEIGHT;
        Self::of_tree_at(Level::Nodes(level), (place.index << (place.level % HEIGHT)) / WIDTH, size)
    }

    /// All tiles of a tree of `size` leaves: nodes by level, then entries.
    pub fn of_tree(size: u64) -> impl Iterator<Item = Self> {
        let nodes =
            (0..=MAX_LEVEL).map(Level::Nodes).take_while(move |level| level.nodes(size) > 0);
        nodes.chain([Level::Entries]).flat_map(move |level| {
            let tiles = level.nodes(size).div_ceil(WIDTH);
            (0..tiles).filter_map(move |index| Self::of_tree_at(level, index, size))
        })
    }

    fn of_tree_at(level: Level, index: u64, size: u64) -> Option<Self> {
        let width = level.nodes(size).checked_sub(index * WIDTH)?.min(WIDTH);
        (width > 0).then_some(Self { level, index, width: width as u16 })
    }

    /// What it is made of.
    pub fn level(self) -> Level {
        self.level
    }

    /// Its place among the tiles of its level, from 0.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many nodes or entries it has: 1 to 256.
    pub fn width(self) -> u16 {
        self.width
    }

    /// The same tile when it is full; a server may have that one only.
    pub fn full(self) -> Self {
        Self { width: WIDTH as u16, ..self }
    }

    /// Where its nodes are in the tree, from left to right; none of entries, and none where no tree
    /// reaches.
    pub fn places(self) -> impl Iterator<Item = Place> {
        let level = match self.level {
            Level::Nodes(level) => level.checked_mul(HEIGHT),
            Level::Entries => None,
        };
        (0..u64::from(self.width)).map_while(move |at| {
            let place =
                Place { level: level?, index: self.index.checked_mul(WIDTH)?.checked_add(at)? };
            let reached = MAX_LEAVES.checked_shr(u32::from(place.level)).unwrap_or(0);
            (place.index < reached).then_some(place)
        })
    }

    /// Reads the bytes of a tile of nodes.
    pub fn read(self, bytes: &[u8]) -> Result<Vec<NodeHash>, TileError> {
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if rest.is_empty() && hashes.len() == usize::from(self.width) {
            Ok(hashes.iter().copied().map(NodeHash).collect())
        } else {
            Err(TileError::Length(self.width))
        }
    }

    /// A node under or in this tile, made of the tile's own nodes; none if they do not reach it.
    pub fn node(self, place: Place, nodes: &[NodeHash]) -> Option<NodeHash> {
        let Level::Nodes(level) = self.level else { return None };
        if place.level / HEIGHT != level {
            return None;
        }
        let above = place.level % HEIGHT;
        let from =
            place.index.checked_mul(1 << above)?.checked_sub(self.index.checked_mul(WIDTH)?)?;
        let from = usize::try_from(from).ok()?;
        let mut row = nodes.get(from..from.checked_add(1 << above)?)?.to_vec();
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| node(pair[0], pair[1])).collect();
        }
        row.first().copied()
    }
}

impl Level {
    /// How many nodes a tree of `size` leaves has for tiles of this level.
    fn nodes(self, size: u64) -> u64 {
        match self {
            Level::Nodes(level) => {
                size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0)
            }
            Level::Entries => size,
        }
    }
}

impl fmt::Display for Tile {
    /// Its path after the log's prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Nodes(level) => write!(f, "tile/{level}")?,
            Level::Entries => f.write_str("tile/entries")?,
        }
        let digits = self.index.to_string();
        let digits = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        let groups = digits.len() / 3;
        for group in 0..groups {
            let crossed = if group + 1 < groups { "x" } else { "" };
            write!(f, "/{crossed}{}", &digits[3 * group..3 * group + 3])?;
        }
        if u64::from(self.width) < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        if path.len() > MAX_PATH {
            return Err(TileError::Path);
        }
        let read = || {
            let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
            let level = match level {
                "entries" => Level::Entries,
                level => Level::Nodes(
                    u8::try_from(decimal(level)?).ok().filter(|level| *level <= MAX_LEVEL)?,
                ),
            };
            let (index, width) = match rest.split_once(".p/") {
                Some((index, width)) => (
                    index,
                    u16::try_from(decimal(width)?).ok().filter(|width| (1..256).contains(width))?,
                ),
                None => (rest, WIDTH as u16),
            };
            let digits: String =
                index.split('/').map(|group| group.trim_start_matches('x')).collect();
            Some(Self { level, index: digits.parse().ok()?, width })
        };
        // There is one way to write a path: whatever is written otherwise names nothing.
        read().filter(|tile| tile.to_string() == path).ok_or(TileError::Path)
    }
}
