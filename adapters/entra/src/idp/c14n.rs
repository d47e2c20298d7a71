//! Exclusive canonicalization without comments (W3C, 2002), of one element: the bytes that a
//! signature is over. Written here because nothing of the service provider may be used to make what
//! it is tested with.

use roxmltree::{Node, NodeType};
use std::collections::BTreeMap;

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The canonical bytes of an element, without the element `without` in it.
pub fn canonical(node: Node<'_, '_>, without: Option<Node<'_, '_>>) -> String {
    canonical_with(node, without, &[])
}

/// The same, with prefixes that are treated as in inclusive canonicalization (`PrefixList`).
pub fn canonical_with(
    node: Node<'_, '_>,
    without: Option<Node<'_, '_>>,
    inclusive: &[&str],
) -> String {
    let mut out = String::new();
    element(node, without, inclusive, &BTreeMap::new(), &mut out);
    out
}

type Rendered<'a> = BTreeMap<&'a str, &'a str>;

fn element<'a>(
    node: Node<'a, '_>,
    without: Option<Node<'_, '_>>,
    inclusive: &[&str],
    outer: &Rendered<'a>,
    out: &mut String,
) {
    let source = node.document().input_text();
    let qname = source[node.range().start + 1..]
        .split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .next()
        .unwrap_or_default();
    let mut rendered = outer.clone();
    let mut declared = BTreeMap::new();
    let own = qname.split_once(':').map_or("", |(prefix, _)| prefix);
    let of_attributes =
        node.attributes().filter(|a| a.namespace().is_some_and(|ns| ns != XML)).filter_map(|a| {
            let name = &source[a.range_qname()];
            name.split_once(':').map(|(prefix, _)| prefix)
        });
    let in_scope = |prefix: &str| {
        node.lookup_namespace_uri((!prefix.is_empty()).then_some(prefix)).unwrap_or_default()
    };
    let listed = inclusive.iter().copied().filter(|p| !in_scope(p).is_empty());
    for prefix in std::iter::once(own).chain(of_attributes).chain(listed) {
        let uri = in_scope(prefix);
        // Every name is a slice of the source, so that it lives as long as the document.
        let Some(prefix) = known(node, prefix) else { continue };
        if rendered.get(prefix).copied().unwrap_or_default() != uri {
            rendered.insert(prefix, uri);
            declared.insert(prefix, uri);
        }
    }
    out.push('<');
    out.push_str(qname);
    for (prefix, uri) in declared {
        out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        out.push_str(prefix);
        out.push_str("=\"");
        attribute_value(uri, out);
        out.push('"');
    }
    let mut attributes: Vec<_> = node.attributes().collect();
    attributes.sort_by_key(|a| (a.namespace().unwrap_or_default(), a.name()));
    for attribute in attributes {
        out.push(' ');
        out.push_str(&source[attribute.range_qname()]);
        out.push_str("=\"");
        attribute_value(attribute.value(), out);
        out.push('"');
    }
    out.push('>');
    for child in node.children().filter(|c| Some(*c) != without) {
        match child.node_type() {
            NodeType::Element => element(child, without, inclusive, &rendered, out),
            NodeType::Text => text(child.text().unwrap_or_default(), out),
            _ => {}
        }
    }
    out.push_str("</");
    out.push_str(qname);
    out.push('>');
}

/// The prefix as the document spells it where it is declared.
fn known<'a>(node: Node<'a, '_>, prefix: &str) -> Option<&'a str> {
    node.namespaces()
        .map(|n| n.name().unwrap_or_default())
        .find(|name| *name == prefix)
        .or_else(|| prefix.is_empty().then_some(""))
}

fn attribute_value(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

fn text(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, name: &str, expected: &str) {
        let document = roxmltree::Document::parse(xml).expect("a document");
        let node =
            document.descendants().find(|n| n.tag_name().name() == name).expect("the element");
        assert_eq!(canonical(node, None), expected);
    }

    #[test]
    fn only_what_is_visibly_used_is_declared() {
        check(
            r#"<a xmlns="urn:a" xmlns:b="urn:b" xmlns:c="urn:c"><b:x z='1' a="&lt;'"/></a>"#,
            "x",
            r#"<b:x xmlns:b="urn:b" a="&lt;'" z="1"></b:x>"#,
        );
        check(
            r#"<a xmlns="urn:a" xmlns:b="urn:b"><b:x><y>t &gt; u</y></b:x></a>"#,
            "x",
            r#"<b:x xmlns:b="urn:b"><y xmlns="urn:a">t &gt; u</y></b:x>"#,
        );
        check(
            r#"<a:r xmlns:a="urn:a"><a:s><a:t/></a:s></a:r>"#,
            "r",
            r#"<a:r xmlns:a="urn:a"><a:s><a:t></a:t></a:s></a:r>"#,
        );
    }
}
