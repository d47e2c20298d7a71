//! Records and exchanges held against their leaves, one after another, in bounded memory; and what
//! must have been done to those that differ.

use crate::statement::Statement;
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart, Verdict};
use rollcall_domain::ledger::{Frontier, LeafHash};
use rollcall_domain::log::{Head, Record, RecordedExchange, exchange_leaf, record_leaf};
use uuid::Uuid;

/// Findings that are told one by one; what is more is counted.
const TOLD: usize = 100;
/// Items that differ which are kept to find out where they belong.
const KEPT: usize = 64;

/// A record, or an exchange with its bodies.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A record.
    Record(Record),
    /// An exchange.
    Exchange(Box<RecordedExchange>),
}

impl Content {
    /// What it is.
    pub fn part(&self) -> FindingPart {
        match self {
            Content::Record(_) => FindingPart::Record,
            Content::Exchange(_) => FindingPart::Exchange,
        }
    }

    /// Its position or number.
    pub fn number(&self) -> u64 {
        match self {
            Content::Record(record) => record.position,
            Content::Exchange(recorded) => recorded.number,
        }
    }

    /// Its leaf, as it follows from what it says.
    pub fn leaf(&self) -> LeafHash {
        match self {
            Content::Record(record) => record_leaf(record),
            Content::Exchange(recorded) => exchange_leaf(recorded),
        }
    }

    fn id(&self) -> Uuid {
        match self {
            Content::Record(record) => record.stream.id,
            Content::Exchange(recorded) => recorded.exchange.id.0,
        }
    }

    /// The leaves it would have in another's place: with that one's number, and of an exchange with
    /// its own place among the records or with that one's.
    fn leaves_at(&self, other: &Content) -> Vec<LeafHash> {
        match (self, other) {
            (Content::Record(this), Content::Record(other)) => {
                vec![record_leaf(&Record { position: other.position, ..this.clone() })]
            }
            (Content::Exchange(this), Content::Exchange(other)) => {
                let moved = RecordedExchange { number: other.number, ..(**this).clone() };
                let placed = RecordedExchange {
                    positions: other.positions,
                    after: other.after,
                    ..moved.clone()
                };
                vec![exchange_leaf(&moved), exchange_leaf(&placed)]
            }
            _ => Vec::new(),
        }
    }
}

/// One of them with the leaf that is kept beside it; none where what is kept is no hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub content: Content,
    /// The leaf.
    pub kept: Option<LeafHash>,
}

/// What the whole must come to.
pub struct Claimed<'s> {
    /// The ends of the log.
    pub head: Head,
    /// The tree; of a file only its size and root are known.
    pub tree: Tree<'s>,
}

/// A tree of which more or less is known.
pub enum Tree<'s> {
    /// Its right edge.
    Frontier(&'s Frontier),
    /// What a checkpoint says.
    Statement(&'s Statement),
}

impl Tree<'_> {
    fn size(&self) -> u64 {
        match self {
            Tree::Frontier(frontier) => frontier.size(),
            Tree::Statement(statement) => statement.size,
        }
    }

    fn is(&self, other: &Frontier) -> bool {
        match self {
            Tree::Frontier(frontier) => *frontier == other,
            Tree::Statement(said) => said.size == other.size() && said.root == other.root(),
        }
    }
}

/// Goes along with what is read, in the order of commit.
pub struct Checker {
    computed: Frontier,
    kept: Frontier,
    read: Head,
    last_exchange: Option<Uuid>,
    odd: Vec<Item>,
    more_odd: u64,
    findings: Vec<Finding>,
    /// Earlier checkpoints, by size, the next one last.
    waiting: Vec<Statement>,
    /// The largest size at which a checkpoint was met, and the first that was not.
    met: u64,
    missed: Option<Statement>,
    verdict: Verdict,
}

impl Checker {
    /// Holds what comes against earlier checkpoints of the same ledger.
    pub fn new(mut earlier: Vec<Statement>) -> Self {
        earlier.sort_by_key(|statement| std::cmp::Reverse(statement.size));
        earlier.dedup();
        let verdict = Verdict { checkpoints: earlier.len() as u64, ..Verdict::default() };
        Self {
            computed: Frontier::default(),
            kept: Frontier::default(),
            read: Head::default(),
            last_exchange: None,
            odd: Vec::new(),
            more_odd: 0,
            findings: Vec::new(),
            waiting: earlier,
            met: 0,
            missed: None,
            verdict,
        }
    }

    /// The next in order.
    pub fn push(&mut self, item: Item) {
        self.count(&item.content);
        let leaf = item.content.leaf();
        self.computed.append(leaf);
        self.kept.append(item.kept.unwrap_or(leaf));
        if item.kept != Some(leaf) {
            if self.odd.len() < KEPT { self.odd.push(item) } else { self.more_odd += 1 }
        }
        self.meet();
    }

    /// Something stands there that cannot be read.
    pub fn unreadable(&mut self, part: FindingPart, number: u64) {
        self.skip(part, number);
        self.find(FindingKind::Unreadable, part, number, None, None);
    }

    fn count(&mut self, content: &Content) {
        self.skip(content.part(), content.number());
        match content {
            Content::Record(_) => self.verdict.records += 1,
            Content::Exchange(recorded) => {
                self.verdict.exchanges += 1;
                self.last_exchange = Some(recorded.exchange.id.0);
                let is_dropped = recorded.exchange.bodies_dropped;
                *match is_dropped {
                    true => &mut self.verdict.dropped,
                    false => &mut self.verdict.readable,
                } += 1;
            }
        }
        self.verdict.leaves += 1;
    }

    /// Notices a hole before a number, and goes on behind it.
    fn skip(&mut self, part: FindingPart, number: u64) {
        let read = match part {
            FindingPart::Exchange => &mut self.read.exchange_number,
            _ => &mut self.read.position,
        };
        let first = *read + 1;
        *read = (*read).max(number);
        if number > first {
            let through = (number - 1 > first).then_some(number - 1);
            self.find(FindingKind::Removed, part, first, through, None);
        }
    }

    fn find(
        &mut self,
        kind: FindingKind,
        part: FindingPart,
        number: u64,
        through: Option<u64>,
        id: Option<Uuid>,
    ) {
        self.findings.push(Finding { kind, part, number, through, id });
    }

    fn meet(&mut self) {
        while let Some(said) = self.waiting.pop_if(|said| said.size <= self.computed.size()) {
            if said.size == self.computed.size() && said.root == self.computed.root() {
                self.met = said.size;
            } else if self.missed.is_none() {
                self.missed = Some(said);
            }
        }
    }

    /// The last exchange that came.
    pub fn last_exchange(&self) -> Option<Uuid> {
        self.last_exchange
    }

    /// Adds what was found by other means.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Nothing more comes.
    pub fn finish(mut self, claimed: &Claimed<'_>, uncovered: u64, epoch: Uuid) -> Verdict {
        self.ends(claimed);
        self.sort_odd(claimed);
        self.trees(claimed, epoch);
        let mut verdict = self.verdict;
        verdict.uncovered = uncovered;
        verdict.unchanged = self.findings.iter().all(|found| found.kind.is_about_completeness());
        verdict.complete = !self.findings.iter().any(|found| found.kind.is_about_completeness());
        verdict.more = self.more_odd + self.findings.len().saturating_sub(TOLD) as u64;
        self.findings.truncate(TOLD);
        verdict.findings = self.findings;
        verdict
    }

    /// What is missing at the end, or stands behind it.
    fn ends(&mut self, claimed: &Claimed<'_>) {
        let Head { position, exchange_number } = claimed.head;
        let ends = [
            (FindingPart::Record, self.read.position, position),
            (FindingPart::Exchange, self.read.exchange_number, exchange_number),
        ];
        for (part, read, end) in ends {
            let first = read + 1;
            if first <= end {
                let through = (end > first).then_some(end);
                self.find(FindingKind::TailCut, part, first, through, None);
            } else if read > end {
                self.find(FindingKind::Inserted, part, end + 1, Some(read), None);
            }
        }
        let (said, grown) = (position + exchange_number, claimed.tree.size());
        if grown > said {
            self.find(FindingKind::TailCut, FindingPart::Tree, said + 1, Some(grown), None);
        } else if grown < said {
            self.find(FindingKind::HeadChanged, FindingPart::Tree, grown, None, None);
        }
    }

    /// What was done to those that have another leaf than follows from them.
    fn sort_odd(&mut self, claimed: &Claimed<'_>) {
        // If the tree follows from what they say, it is the leaves that were changed.
        let kind = match claimed.tree.is(&self.computed) {
            true => FindingKind::LeafChanged,
            false => FindingKind::Edited,
        };
        let odd = std::mem::take(&mut self.odd);
        let mut swapped = Vec::new();
        for (at, item) in odd.iter().enumerate() {
            let number = item.content.number();
            if swapped.contains(&(item.content.part(), number)) {
                continue;
            }
            let other = odd[at + 1..].iter().find(|other| {
                let moved = item.content.leaves_at(&other.content);
                moved.iter().any(|leaf| [item.kept, other.kept].contains(&Some(*leaf)))
            });
            let (part, id) = (item.content.part(), Some(item.content.id()));
            match other {
                Some(other) => {
                    let other = other.content.number();
                    swapped.push((part, other));
                    self.find(FindingKind::Swapped, part, number, Some(other), id);
                }
                None => self.find(kind, part, number, None, id),
            }
        }
    }

    /// The tree, and the earlier checkpoints, where nothing else explains that they differ.
    fn trees(&mut self, claimed: &Claimed<'_>, epoch: Uuid) {
        let size = self.computed.size();
        let is_explained = !self.findings.is_empty();
        // The largest: it is enough to know that it was not reached. One that is not beyond the
        // tree was not reached because of what is missing at its end, which is found already.
        if let Some(said) = self.waiting.first().filter(|said| said.size > claimed.tree.size()) {
            let is_another = said.epoch != epoch && !is_explained;
            let kind = if is_another { FindingKind::AnotherLog } else { FindingKind::Older };
            let through = Some(said.size);
            self.find(kind, FindingPart::Tree, claimed.tree.size() + 1, through, None);
        }
        if is_explained {
            return;
        }
        if let Some(said) = self.missed.take() {
            let is_another = said.epoch != epoch;
            let kind = if is_another { FindingKind::AnotherLog } else { FindingKind::Rewritten };
            self.find(kind, FindingPart::Tree, self.met + 1, Some(said.size), None);
        } else if !claimed.tree.is(&self.computed) {
            // More cannot be told than which complete part of the tree has another hash.
            let span = match claimed.tree {
                Tree::Frontier(frontier) => frontier.first_difference(&self.computed),
                Tree::Statement(_) => None,
            };
            let (from, to) = span.map_or((self.met, size), |span| (span.from, span.to));
            self.find(FindingKind::Rewritten, FindingPart::Tree, from + 1, Some(to), None);
        }
    }
}
