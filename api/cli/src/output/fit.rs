//! How wide the columns of a table are.
//!
//! Where a table is wider than it may be, instants lose their decimals first, then long texts are
//! shortened, then ids, heads above shorter cells, and seconds; columns come closer together; and at
//! last everything is shortened.

use super::tone::Cell;
use unicode_width::UnicodeWidthStr as _;

/// Between two columns.
const GAP: usize = 2;
/// Where there is little room.
const LITTLE_GAP: usize = 1;
/// An id that is not whole: an ellipsis and the end of it, which is random.
pub const SHORT_ID: usize = 9;
/// Texts keep so much while ids are whole.
const TEXT: usize = 16;
/// Texts keep so much while heads are whole.
const SHORT_TEXT: usize = 10;
/// No column is narrower.
pub const LEAST: usize = 4;

/// How wide tables may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// As wide as they are: for files, pipes, and whoever says so.
    #[default]
    Whole,
    /// So many columns.
    Columns(usize),
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UUID.
    Id,
    /// RFC 3339.
    Instant,
    /// Anything else.
    Text,
}

/// The widths of columns, and how far they are apart.
pub struct Widths {
    pub columns: Vec<usize>,
    pub gap: usize,
    /// What all of it may take.
    most: usize,
}

impl Widths {
    /// Finds them.
    pub fn of(head: &[&str], rows: &[Vec<Cell>], fit: Fit) -> Self {
        let column = |at: usize| rows.iter().filter_map(move |row| row.get(at)).map(|c| &*c.text);
        let widest = |at: usize| column(at).map(|c| c.width()).max().unwrap_or(0);
        let whole = |at: usize| widest(at).max(head[at].width());
        let all: Vec<usize> = (0..head.len()).collect();
        let mut it =
            Self { columns: all.iter().map(|at| whole(*at)).collect(), gap: GAP, most: usize::MAX };
        let Fit::Columns(most) = fit else { return it };
        it.most = most;
        let of = |wanted| {
            let is_one = move |at: &usize| Kind::of(column(*at)) == wanted;
            all.iter().copied().filter(is_one).collect::<Vec<_>>()
        };
        let texts = of(Kind::Text);
        // Heads that are wider than what is under them.
        let above: Vec<usize> =
            all.iter().copied().filter(|at| widest(*at) < head[*at].width()).collect();
        let instants = |it: &mut Self, form: usize| {
            for at in of(Kind::Instant) {
                let width = column(at).map(|c| instant_forms(c)[form].width()).max().unwrap_or(0);
                it.columns[at] = it.columns[at].min(width.max(head[at].width()));
            }
        };
        let steps: [&dyn Fn(&mut Self); 8] = [
            &|it| instants(it, 1),
            &|it| it.squeeze(&texts, TEXT),
            &|it| of(Kind::Id).iter().for_each(|at| it.narrow(*at, SHORT_ID)),
            &|it| above.iter().for_each(|at| it.narrow(*at, widest(*at).max(LEAST))),
            &|it| it.squeeze(&texts, SHORT_TEXT),
            &|it| instants(it, 2),
            &|it| it.gap = LITTLE_GAP,
            &|it| it.squeeze(&texts, LEAST),
        ];
        for step in steps {
            if it.over() == 0 {
                break;
            }
            step(&mut it);
        }
        it.squeeze(&all, LEAST);
        for at in texts.iter().chain(&above) {
            it.columns[*at] += it.spare().min(whole(*at).saturating_sub(it.columns[*at]));
        }
        it
    }

    fn total(&self) -> usize {
        let gaps = self.gap * self.columns.len().saturating_sub(1);
        self.columns.iter().sum::<usize>() + gaps
    }

    fn over(&self) -> usize {
        self.total().saturating_sub(self.most)
    }

    fn spare(&self) -> usize {
        self.most.saturating_sub(self.total())
    }

    fn narrow(&mut self, at: usize, width: usize) {
        self.columns[at] = self.columns[at].min(width);
    }

    /// Makes the widest of these columns narrower, one by one, until all fit or have the least width.
    fn squeeze(&mut self, columns: &[usize], least: usize) {
        while self.over() > 0 {
            let widths = &self.columns;
            let widest = columns.iter().copied().max_by_key(|at| widths[*at]);
            let Some(widest) = widest.filter(|at| widths[*at] > least) else { return };
            let next = columns.iter().map(|at| widths[*at]).filter(|w| *w < widths[widest]).max();
            let over = self.over();
            let step = next.map_or(over, |next| (widths[widest] - next).min(over)).max(1);
            self.columns[widest] = widths[widest].saturating_sub(step).max(least);
        }
    }
}

impl Kind {
    /// What all of these are, dashes aside.
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut kinds = cells.filter(|cell| *cell != "-").map(|cell| match cell.as_bytes() {
            id if id.len() == 36 && [8, 13, 18, 23].iter().all(|at| id[*at] == b'-') => Kind::Id,
            [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', ..] => Kind::Instant,
            _ => Kind::Text,
        });
        let Some(first) = kinds.next() else { return Kind::Text };
        if kinds.all(|kind| kind == first) { first } else { Kind::Text }
    }
}

/// An instant as it is, to the second, and to the minute: `2026-11-24T03:57:35.339Z`,
/// `2026-11-24T03:57:35Z`, `2026-11-24T03:57Z`; or with an offset in place of `Z`.
pub fn instant_forms(instant: &str) -> [String; 3] {
    let parts = || {
        let (date, rest) = instant.is_ascii().then(|| instant.split_at_checked(19)).flatten()?;
        let zone = rest.strip_prefix('.')?.trim_start_matches(|c: char| c.is_ascii_digit());
        Some((format!("{date}{zone}"), format!("{}{zone}", date.get(..16)?)))
    };
    let whole = instant.to_owned();
    match parts() {
        Some((seconds, minutes)) => [whole, seconds, minutes],
        None => [whole.clone(), whole.clone(), whole],
    }
}
