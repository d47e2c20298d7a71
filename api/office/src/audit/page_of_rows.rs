//! Rows as a page that can be printed.

use rollcall_door::html::escaped;
use std::fmt::Write as _;

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:2em}dl{display:grid;\
grid-template-columns:max-content 1fr;gap:.2em 1em}dt{font-weight:600}dd{margin:0}\
table{border-collapse:collapse;font-size:12px}th,td{border:1px solid #999;padding:.2em .4em;\
text-align:left;vertical-align:top}thead{display:table-header-group}tr{break-inside:avoid}";

/// What stands before the rows.
pub fn before(title: &str, head: &[(&'static str, String)], columns: &[&str]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <style>{STYLE}</style></head>\n<body><h1>{}</h1>\n<dl>",
        escaped(title),
        escaped(title)
    );
    for (name, value) in head {
        let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
    }
    page.push_str("</dl>\n<table><thead><tr>");
    for column in columns {
        let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(&column.replace('_', " ")));
    }
    page.push_str("</tr></thead><tbody>\n");
    page
}

/// One row.
pub fn row(cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}

/// What stands behind them: their number, so that a page that broke off is seen to have.
pub fn after(rows: u64) -> String {
    format!("</tbody></table>\n<p>{rows} rows, complete</p></body></html>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_cell_is_text() {
        assert_eq!(
            row(&["<script>alert(\"1\")</script>".to_owned(), "O'Neill & Co".to_owned()]),
            "<tr><td>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</td><td>O&#39;Neill &amp; Co</td></tr>\n"
        );
    }
}
