//! Several statements in one trip to the server.
//!
//! Statements that write one table each, and read no other, come to the same whether they are run
//! one after another or as parts of one. So those of a small batch, where each trip is a good part
//! of what an answer takes, go together.

use rollcall_domain::sql::SqlValue;

type Statement = (String, Vec<SqlValue>);

/// Parameters of one statement, at most: of larger ones there are too many shapes to keep a plan
/// of each, and the trip is not what they cost.
const PARAMETERS: usize = 128;

/// Puts together what can be, in order.
pub(super) fn together(statements: Vec<Statement>) -> Vec<Statement> {
    let mut done = Vec::with_capacity(statements.len());
    let mut open: Vec<Statement> = Vec::new();
    for statement in statements {
        let joins = match table(&statement.0) {
            Some(this) => {
                let size: usize = open.iter().map(|(_, params)| params.len()).sum();
                size + statement.1.len() <= PARAMETERS
                    && open.iter().all(|(sql, _)| table(sql).is_some_and(|other| other != this))
            }
            None => open.is_empty(),
        };
        if !joins {
            done.extend(one(std::mem::take(&mut open)));
        }
        open.push(statement);
    }
    done.extend(one(open));
    done
}

/// The table that a statement writes, if that is all it does.
fn table(sql: &str) -> Option<&str> {
    if sql.contains("SELECT") || sql.contains("RETURNING") {
        return None;
    }
    ["INSERT INTO ", "UPDATE ", "DELETE FROM "]
        .into_iter()
        .find_map(|begin| sql.strip_prefix(begin)?.split_whitespace().next())
}

/// One statement for several of different tables.
fn one(mut statements: Vec<Statement>) -> Option<Statement> {
    let (last, mut params) = statements.pop()?;
    if statements.is_empty() {
        return Some((last, params));
    }
    let mut sql = String::from("WITH ");
    let mut all = Vec::with_capacity(PARAMETERS);
    for (n, (part, params)) in statements.into_iter().enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        sql.push_str(&format!("{comma}part_{n} AS ({})", behind(&part, all.len())));
        all.extend(params);
    }
    sql.push_str(&format!(" {}", behind(&last, all.len())));
    all.append(&mut params);
    Some((sql, all))
}

/// The statement with its parameters counted on from others. Values are parameters, so that what
/// follows a `$` is a number.
fn behind(sql: &str, others: usize) -> String {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let number = number.parse::<usize>().map_or(0, |n| n + others);
        out.push_str(&format!("${number}{rest}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str, params: i64) -> Statement {
        (sql.to_owned(), (0..params).map(SqlValue::from).collect())
    }

    #[test]
    fn different_tables_go_together_in_order() {
        let merged = together(vec![
            statement("INSERT INTO a (x, y) VALUES ($1, $2) ON CONFLICT (x) DO NOTHING", 2),
            statement("UPDATE b SET x = $1 WHERE y = $2", 2),
            statement("DELETE FROM c WHERE x = $1", 1),
        ]);
        let sql = "WITH part_0 AS (INSERT INTO a (x, y) VALUES ($1, $2) ON CONFLICT (x) DO NOTHING), \
                   part_1 AS (UPDATE b SET x = $3 WHERE y = $4) DELETE FROM c WHERE x = $5";
        let values = [0_i64, 1, 0, 1, 0].map(SqlValue::from).to_vec();
        assert_eq!(merged, [(sql.to_owned(), values)]);
    }

    #[test]
    fn what_depends_on_another_goes_after_it() {
        let apart = [
            // The same table twice.
            statement("DELETE FROM a WHERE x = $1", 1),
            statement("INSERT INTO a (x) VALUES ($1)", 1),
            // What reads.
            statement("DELETE FROM b WHERE x IN (SELECT x FROM a)", 0),
            statement("INSERT INTO c (x) VALUES ($1)", 1),
            // What is large.
            statement("INSERT INTO d (x) VALUES ($1)", PARAMETERS as i64),
        ];
        assert_eq!(together(apart.to_vec()), apart);
    }

    #[test]
    fn nothing_is_lost_of_any_mixture() {
        let tables = ["a", "b", "c"];
        for mixture in 0..3_usize.pow(5) {
            let parts: Vec<_> = (0..5_u32)
                .map(|n| tables[mixture / 3_usize.pow(n) % 3])
                .map(|table| statement(&format!("INSERT INTO {table} (x) VALUES ($1)"), 1))
                .collect();
            let merged = together(parts.clone());
            let written = |all: &[Statement]| {
                let text = all.iter().map(|(sql, _)| sql.clone()).collect::<String>();
                let order = text.split("INSERT INTO ").skip(1).map(|part| part[..1].to_owned());
                (order.collect::<Vec<_>>(), all.iter().map(|(_, p)| p.len()).sum::<usize>())
            };
            assert_eq!(written(&merged), written(&parts));
            for (sql, params) in merged {
                let highest = (1..=9).rev().find(|n| sql.contains(&format!("${n}")));
                assert_eq!(highest, Some(params.len()), "{sql}");
                assert!(tables.iter().all(|t| sql.matches(&format!("INTO {t} ")).count() < 2));
            }
        }
    }
}
