//! The console's templates: nothing in them is written unescaped, nothing within a page runs or
//! styles, and nothing comes from elsewhere. A strict policy makes most of it dead, in silence.

use crate::sources::assert_none;
use std::path::Path;

/// What no template may hold, and why.
const FORBIDDEN: [(&str, &str); 9] = [
    ("|safe", "markup is written in api/console/src/view.rs"),
    ("| safe", "markup is written in api/console/src/view.rs"),
    ("|escape(\"none\")", "markup is written in api/console/src/view.rs"),
    (" style=", "the policy forbids style within a page"),
    ("<style", "the policy forbids style within a page"),
    ("hx-on", "the policy forbids scripts within a page"),
    ("js:", "the policy forbids scripts within a page"),
    ("javascript:", "the policy forbids scripts within a page"),
    ("autofocus", "screen readers lose what stands before"),
];

fn offences(template: &str) -> Vec<&'static str> {
    let mut found: Vec<&str> =
        FORBIDDEN.iter().filter(|(what, _)| template.contains(what)).map(|(_, why)| *why).collect();
    let scripts = template.match_indices("<script");
    if scripts
        .into_iter()
        .any(|(at, _)| !template[at..].starts_with("<script src=\"{{ crate::assets"))
    {
        found.push("scripts are assets");
    }
    let handler = |word: &str| word.starts_with("on") && word.contains("=\"");
    if template.split_whitespace().any(handler) {
        found.push("the policy forbids handlers");
    }
    let from = ["src=\"http", "src=\"//", "href=\"http", "action=\"http"];
    if from.iter().any(|elsewhere| template.contains(elsewhere)) {
        found.push("nothing comes from elsewhere");
    }
    found
}

#[test]
fn templates_hold_nothing_that_runs_or_comes_from_elsewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let folder = root.join("api/console/templates");
    let mut offenders = Vec::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("templates") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        offenders
            .extend(offences(&text).into_iter().map(|why| format!("{}: {why}", path.display())));
        seen += 1;
    }
    assert!(seen > 20, "{seen} templates");
    assert_none("templates with what does not belong there", offenders);
}

#[test]
fn the_rule_can_see_them() {
    for bad in [
        "{{ name|safe }}",
        "<p style=\"x\">",
        "<div hx-on:click=\"x\">",
        "<script>x</script>",
        "<script src=\"https://cdn.example/x.js\">",
        "<button onclick=\"x()\">",
        "<img src=\"https://elsewhere.example/x.png\">",
    ] {
        assert!(!offences(bad).is_empty(), "{bad}");
    }
    for good in [
        "<script src=\"{{ crate::assets::OURS.address() }}\" defer></script>",
        "<a href=\"{{ row.href }}\">{{ row.name }}</a>",
    ] {
        assert!(offences(good).is_empty(), "{good}");
    }
}
