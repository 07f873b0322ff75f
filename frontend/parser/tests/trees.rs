//! The tree of every construct, as printed text.

use we3_ir::span::FileId;
use we3_parser::{parse_module, print::print_ast};

mod render;

#[test]
fn a_tour_of_the_language() {
    let source = include_str!("programs/tour.we3");
    let (module, diagnostics) = parse_module(FileId(0), source);
    assert_eq!(render::render(source, &diagnostics), "");
    insta::assert_snapshot!(print_ast(&module));
}
