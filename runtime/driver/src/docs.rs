//! Documentation of a module: its public items with their doc comments and signatures as written.

use we3_ir::span::{FileId, Span};
use we3_parser::ast::{Doc, Item, ItemKind};
use we3_parser::parse_module;

/// The documentation of one module as Markdown.
pub fn module_markdown(name: &str, source: &str) -> String {
    let (module, _) = parse_module(FileId(0), source);
    let mut text = format!("# {name}\n\n");
    paragraph(&module.docs, &mut text);
    for item in module.items.iter().filter(|item| item.is_pub.is_some()) {
        document(item, source, &mut text);
    }
    text
}

fn document(item: &Item, source: &str, text: &mut String) {
    let (name, declaration) = match &item.kind {
        ItemKind::Fn(found) => (&found.name, slice(source, found.signature)),
        // A record's fields are part of what it is; a trait's too.
        ItemKind::Struct(found) => (&found.name, slice(source, item.span)),
        ItemKind::Trait(found) => (&found.name, slice(source, item.span)),
        ItemKind::TypeAlias(found) => (&found.name, slice(source, item.span)),
        ItemKind::Const(found) => (&found.name, slice(source, item.span)),
        ItemKind::Use(_) | ItemKind::Impl(_) | ItemKind::Test(_) | ItemKind::Bench(_) | ItemKind::Error => {
            return;
        }
    };
    let declaration = declaration.trim_start_matches("pub ").trim_end().trim_end_matches('=').trim_end();
    text.push_str(&format!("## `{}`\n\n```we3\n{declaration}\n```\n\n", name.text));
    paragraph(&item.docs, text);
}

fn paragraph(docs: &[Doc], text: &mut String) {
    for line in docs {
        text.push_str(&line.text);
        text.push('\n');
    }
    if !docs.is_empty() {
        text.push('\n');
    }
}

fn slice(source: &str, span: Span) -> &str {
    source.get(span.range()).unwrap_or_default()
}

const STYLE: &str = "body{max-width:50rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}\
pre{background:#8882;padding:.6rem 1rem;overflow-x:auto;border-radius:4px}h2{margin-top:2rem}\
:root{color-scheme:light dark}";

/// Our Markdown (headings, fenced code, paragraphs, `code`) as one HTML page.
pub fn html_page(title: &str, markdown: &str) -> String {
    let mut body = String::new();
    let mut in_code = false;
    let mut open = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            close(&mut open, &mut body);
            in_code = !in_code;
            body.push_str(if in_code { "<pre><code>" } else { "</code></pre>\n" });
        } else if in_code {
            body.push_str(&escape(line));
            body.push('\n');
        } else if let Some(heading) = line.strip_prefix("## ") {
            close(&mut open, &mut body);
            let anchor = heading.trim_matches('`');
            body.push_str(&format!("<h2 id=\"{}\">{}</h2>\n", escape(anchor), inline(heading)));
        } else if let Some(heading) = line.strip_prefix("# ") {
            close(&mut open, &mut body);
            body.push_str(&format!("<h1>{}</h1>\n", inline(heading)));
        } else if line.trim().is_empty() {
            close(&mut open, &mut body);
        } else {
            body.push_str(if open { "\n" } else { "<p>" });
            open = true;
            body.push_str(&inline(line));
        }
    }
    close(&mut open, &mut body);
    if in_code {
        body.push_str("</code></pre>\n");
    }
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n{body}</body></html>\n"
    )
}

fn close(open: &mut bool, body: &mut String) {
    if std::mem::take(open) {
        body.push_str("</p>\n");
    }
}

/// `code` between backticks; everything else as it stands.
fn inline(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let mut text = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        let is_code = number % 2 == 1 && number + 1 < pieces.len();
        match is_code {
            true => text.push_str(&format!("<code>{}</code>", escape(piece))),
            false if number % 2 == 1 => text.push_str(&format!("`{}", escape(piece))),
            false => text.push_str(&escape(piece)),
        }
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_items_appear_with_their_words() {
        let source = "//! About.\n\n/// Doubles `x`.\npub fn twice<T: Num>(x: T) -> T = x + x;\nfn hidden() -> i64 = 1;\n\
                      /// A point.\npub struct P { x: f64 }\n";
        let text = module_markdown("m", source);
        assert_eq!(
            text,
            "# m\n\nAbout.\n\n## `twice`\n\n```we3\nfn twice<T: Num>(x: T) -> T\n```\n\nDoubles `x`.\n\n\
             ## `P`\n\n```we3\nstruct P { x: f64 }\n```\n\nA point.\n\n"
        );
        let page = html_page("m", &text);
        assert!(page.contains("<h2 id=\"twice\"><code>twice</code></h2>"), "{page}");
        assert!(page.contains("fn twice&lt;T: Num&gt;(x: T) -&gt; T"), "{page}");
    }
}
