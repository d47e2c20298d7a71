//! Tiles and bundles.

use super::tree;
use proptest::prelude::*;
use rollcall_domain::ledger::{MAX_LEAVES, NodeHash, Place, inclusion_path, prove};
use rollcall_tlog::Tile;
use rollcall_tlog::bundle::{self, BundleError};
use rollcall_tlog::tile::{Level, TileError};
use std::collections::BTreeMap;

fn tile(path: &str) -> Tile {
    path.parse().unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn paths_are_written_as_the_specification_says() {
    for (path, level, index, width) in [
        ("tile/0/000", Level::Nodes(0), 0, 256),
        ("tile/0/000.p/1", Level::Nodes(0), 0, 1),
        ("tile/3/x001/x234/067", Level::Nodes(3), 1_234_067, 256),
        ("tile/63/999.p/255", Level::Nodes(63), 999, 255),
        ("tile/entries/x001/000", Level::Entries, 1000, 256),
        ("tile/0/x018/x446/x744/x073/x709/x551/615", Level::Nodes(0), u64::MAX, 256),
    ] {
        let read = tile(path);
        assert_eq!((read.level(), read.index(), read.width()), (level, index, width));
        assert_eq!(read.to_string(), path);
    }
}

#[test]
fn there_is_one_way_to_write_a_path() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x000/001",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/x/000",
        "tile/0/+01",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/2",
        "/tile/0/000",
        "tile/0/000/",
        "tile/data/000",
        "tile/entries/00a",
        "tile/0/xx01/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(TileError::Path), "{path}");
    }
}

/// How many full tiles a tree has at a level, and the widths of those that are not full.
fn count(size: u64, level: Level) -> (usize, Vec<u16>) {
    let tiles: Vec<Tile> = Tile::of_tree(size).filter(|tile| tile.level() == level).collect();
    let partial: Vec<u16> =
        tiles.iter().map(|tile| tile.width()).filter(|width| *width < 256).collect();
    (tiles.len() - partial.len(), partial)
}

#[test]
fn a_tree_has_the_tiles_of_the_specifications_example() {
    assert_eq!(count(70_000, Level::Nodes(0)), (273, vec![112]));
    assert_eq!(count(70_000, Level::Nodes(1)), (1, vec![17]));
    assert_eq!(count(70_000, Level::Nodes(2)), (0, vec![1]));
    assert_eq!(count(70_000, Level::Nodes(3)), (0, vec![]));
    assert_eq!(count(70_000, Level::Entries), (273, vec![112]));
    assert_eq!(count(256, Level::Nodes(0)), (1, vec![]));
    assert_eq!(count(256, Level::Nodes(1)), (0, vec![1]));
    assert_eq!(Tile::of_tree(0).count(), 0);
}

#[test]
fn tiles_know_their_nodes_even_where_no_tree_reaches() {
    assert_eq!(tile("tile/2/001.p/3").places().last(), Some(Place { level: 16, index: 258 }));
    assert_eq!(tile("tile/entries/000").places().count(), 0);
    for path in ["tile/8/000", "tile/63/000", "tile/0/x018/x446/x744/x073/x709/x551/615"] {
        assert_eq!(tile(path).places().count(), 0, "{path}");
    }
    assert_eq!(
        Tile::with(Place { level: 62, index: 0 }, MAX_LEAVES)
            .map(|tile| tile.to_string())
            .as_deref(),
        Some("tile/7/000.p/127")
    );
    assert_eq!(Tile::with(Place { level: 63, index: 0 }, MAX_LEAVES), None);
    assert_eq!(Tile::with(Place { level: 200, index: 0 }, MAX_LEAVES), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever has the tiles of a tree makes the same proofs as whoever has the tree.
    #[test]
    fn tiles_prove_what_the_tree_proves(size in 1..140_000_u64, at in any::<prop::sample::Index>()) {
        let whole = tree(size);
        let files: BTreeMap<String, Vec<u8>> = Tile::of_tree(size)
            .filter(|tile| tile.level() != Level::Entries)
            .map(|tile| (tile.to_string(), tile.places().flat_map(|place| whole.node(place).expect("a node").0).collect()))
            .collect();
        let fetch = |place: Place| -> Result<NodeHash, String> {
            let tile = Tile::with(place, size).ok_or("no tile")?;
            let bytes = files.get(&tile.to_string()).ok_or_else(|| format!("no file {tile}"))?;
            let nodes = tile.read(bytes).map_err(|e| e.to_string())?;
            tile.node(place, &nodes).ok_or_else(|| format!("{place:?} is not in {tile}"))
        };
        let index = at.index(size as usize) as u64;
        let path = inclusion_path(index, size).expect("a path");
        prop_assert_eq!(prove(&path, fetch), Ok(whole.inclusion(index, size).expect("a proof")));
    }

    #[test]
    fn a_bundle_is_its_entries(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..256)) {
        let bytes = bundle::write(entries.iter().map(Vec::as_slice)).expect("a bundle");
        let width = entries.len() as u16;
        prop_assert_eq!(bundle::read(&bytes, width), Ok(entries.iter().map(Vec::as_slice).collect()));
        prop_assert_eq!(bundle::read(&bytes, width + 1), Err(BundleError::Length(width + 1)));
        prop_assert_eq!(bundle::read(&bytes, width - 1), Err(BundleError::Length(width - 1)));
        prop_assert_eq!(bundle::read(&bytes[..bytes.len() - 1], width), Err(BundleError::Length(width)));
    }

    #[test]
    fn reading_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..9000), width in 0..=256_u16, place in any::<(u8, u64)>()) {
        let _ = bundle::read(&bytes, width);
        let tile = tile("tile/0/x001/000");
        if let Ok(nodes) = tile.read(&bytes) {
            prop_assert_eq!(nodes.len(), 256);
        }
        let _ = tile.node(Place { level: place.0, index: place.1 }, &[NodeHash([0; 32]); 256]);
    }
}

#[test]
fn what_is_too_long_for_a_bundle_is_refused() {
    let (long, longest) = (vec![0; 65_536], vec![0; 65_535]);
    assert_eq!(bundle::write([&longest[..], &long[..]]), Err(BundleError::TooLong(1)));
    assert_eq!(bundle::write([&longest[..]]).map(|bytes| bytes.len()), Ok(65_537));
    assert_eq!(tile("tile/0/000.p/2").read(&[0; 63]), Err(TileError::Length(2)));
    assert_eq!(tile("tile/0/000.p/2").read(&[0; 96]), Err(TileError::Length(2)));
}
