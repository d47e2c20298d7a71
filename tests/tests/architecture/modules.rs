//! Which module of a crate uses which, read from the sources: by `use`, by paths in the code, and
//! through what a module passes on of others.

use crate::tokens::{Use, tokens, uses_and_paths};
use std::collections::{BTreeMap, BTreeSet};

/// The names from a crate's root to a module; none for the root.
pub type Place = Vec<String>;

/// Words that an item's name follows.
const ITEMS: [&str; 9] =
    ["struct", "enum", "union", "fn", "trait", "type", "const", "static", "macro_rules"];

/// What one module says.
#[derive(Default)]
struct Module {
    uses: Vec<Use>,
    paths: Vec<Vec<String>>,
    declares: BTreeSet<String>,
}

/// The modules of one crate.
#[derive(Default)]
pub struct Modules(BTreeMap<Place, Module>);

impl Modules {
    /// Reads files, by their paths below the crate's `src/`.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut modules = Self::default();
        for (file, text) in files {
            let mut place: Place =
                file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            place.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
            let tokens = tokens(text);
            let (uses, paths) = uses_and_paths(&tokens);
            let items = tokens.windows(2).filter(|pair| ITEMS.contains(&pair[0].as_str()));
            let module = modules.0.entry(place).or_default();
            module.uses.extend(uses);
            module.paths.extend(paths);
            module.declares.extend(items.map(|pair| pair[1].clone()));
            // The `!` of `macro_rules!` stands before its name.
            let macros = tokens.windows(3).filter(|three| three[0] == "macro_rules");
            module.declares.extend(macros.map(|three| three[2].clone()));
        }
        modules
    }

    /// Every module with every other one of the crate that it uses.
    pub fn edges(&self) -> BTreeSet<(Place, Place)> {
        let mut edges = BTreeSet::new();
        for (from, module) in &self.0 {
            let paths = module.uses.iter().map(|u| &u.path).chain(&module.paths);
            edges.extend(
                paths
                    .filter_map(|path| self.resolve(from, path, 0))
                    .filter(|to| to != from)
                    .map(|to| (from.clone(), to)),
            );
        }
        edges
    }

    /// The modules that bring in everything of one that they are in.
    pub fn globs_of_parents(&self) -> Vec<Place> {
        let is_above =
            |from: &Place, above: &Place| from.len() > above.len() && from.starts_with(above);
        let takes_all = |from: &Place, u: &Use| {
            u.name.is_none() && self.resolve(from, &u.path, 0).is_some_and(|to| is_above(from, &to))
        };
        self.0
            .iter()
            .filter(|(from, module)| module.uses.iter().any(|u| takes_all(from, u)))
            .map(|(from, _)| from.clone())
            .collect()
    }

    /// The module in which a path ends that is written in `from`; none if it leads out of the
    /// crate, or to something of the module's own.
    fn resolve(&self, from: &Place, path: &[String], depth: usize) -> Option<Place> {
        let (head, rest) = path.split_first()?;
        match head.as_str() {
            "crate" => Some(self.walk(Place::new(), rest, depth)),
            "self" => Some(self.walk(from.clone(), rest, depth)),
            "super" => {
                let above = rest.iter().take_while(|name| *name == "super").count();
                let place = from[..from.len().saturating_sub(above + 1)].to_vec();
                Some(self.walk(place, &rest[above..], depth))
            }
            _ if self.0.contains_key(&below(from, head)) => {
                Some(self.walk(from.clone(), path, depth))
            }
            _ => self.imported(from, path, depth),
        }
    }

    /// Goes down from a module along names, and where one is passed on from elsewhere, there.
    fn walk(&self, mut place: Place, path: &[String], depth: usize) -> Place {
        for (n, name) in path.iter().enumerate() {
            let next = below(&place, name);
            if !self.0.contains_key(&next) {
                return self.imported(&place, &path[n..], depth).unwrap_or(place);
            }
            place = next;
        }
        place
    }

    /// Where a name leads that a module has by a `use`.
    fn imported(&self, place: &Place, path: &[String], depth: usize) -> Option<Place> {
        // Names may be passed on in a ring, by globs.
        if depth > 16 {
            return None;
        }
        let (name, rest) = path.split_first()?;
        let module = self.0.get(place)?;
        // `use super::name::name` leads away; `use name;` would lead here again.
        let named = module
            .uses
            .iter()
            .filter(|u| u.name.as_ref() == Some(name) && u.path != [name.clone()]);
        let by_name =
            named.filter_map(|u| self.resolve(place, &[&u.path, rest].concat(), depth + 1)).next();
        by_name.or_else(|| {
            let globs = module
                .uses
                .iter()
                .filter(|u| u.name.is_none())
                .filter_map(|u| self.resolve(place, &u.path, depth + 1));
            let offers =
                |glob: &Place| glob != place && self.0.get(glob).is_some_and(|m| m.offers(name));
            globs.filter(offers).map(|glob| self.walk(glob, path, depth + 1)).next()
        })
    }
}

impl Module {
    fn offers(&self, name: &String) -> bool {
        self.declares.contains(name) || self.uses.iter().any(|u| u.name.as_ref() == Some(name))
    }
}

fn below(place: &Place, name: &str) -> Place {
    let mut below = place.clone();
    below.push(name.to_owned());
    below
}
