//! Types and instances that grow without end are stopped here, with limits that no real program meets.

use std::collections::BTreeSet;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::FnBody;

use super::instances::{InstKey, Item};
use super::session::Checker;
use crate::codes;
use crate::typed::Type;

/// Scalars, arrays, tuples and records in one type, those inside of records counted each time.
const MAX_PARTS: usize = 4096;
/// Tuples and records inside each other.
const MAX_NESTED: usize = 50;
/// Instances asked for by instances asked for … this deep do not end.
const MAX_DEPTH: u32 = 200;
/// More instances than any program needs.
const MAX_INSTANCES: usize = 50_000;
/// How much source text all instances of functions that ask for themselves may have, in bytes.
const MAX_RECURSIVE_TEXT: usize = 1 << 18;
/// What an instance costs besides its text.
const INSTANCE_COST: usize = 64;

/// Who asked for an instance, and why.
pub struct Origin {
    /// `None`: made by the checker, or a lambda.
    item: Option<Item>,
    parent: u32,
    depth: u32,
}

/// Every instance's origin, and what has been found to be without end.
#[derive(Default)]
pub struct Extent {
    origins: Vec<Origin>,
    recursive_text: usize,
    endless: BTreeSet<Item>,
}

impl Extent {
    /// Notes who asked for the next function of the program.
    pub fn add(&mut self, item: Option<Item>, parent: u32) {
        let depth = self.depth(parent);
        let depth = if item.is_some() { depth.map_or(0, |depth| depth + 1) } else { depth.unwrap_or(0) };
        self.origins.push(Origin { item, parent, depth });
    }

    fn depth(&self, func: u32) -> Option<u32> {
        self.origins.get(func as usize).map(|origin| origin.depth)
    }

    /// Whether instances of an item have been stopped.
    pub fn is_endless(&self, item: Item) -> bool {
        self.endless.contains(&item)
    }

    /// Whether an instance asked for by `parent` is asked for, further up, by the same item.
    fn asks_for_itself(&self, item: Item, parent: u32) -> bool {
        let mut at = parent;
        for _ in 0..=MAX_DEPTH {
            match self.origins.get(at as usize) {
                Some(origin) if origin.item == Some(item) => return true,
                Some(origin) => at = origin.parent,
                None => return false,
            }
        }
        false
    }
}

impl Checker<'_, '_> {
    /// Whether a type has a size that can be compiled: as written, and with all its fields.
    pub fn fits(&mut self, ty: &Type) -> bool {
        text_fits(ty, MAX_NESTED, &mut MAX_PARTS.clone())
            && self.parts_fit(ty, MAX_NESTED, &mut MAX_PARTS.clone())
    }

    fn parts_fit(&mut self, ty: &Type, nested: usize, left: &mut usize) -> bool {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        match ty {
            Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => true,
            Type::Array { elem, .. } => self.parts_fit(elem, nested, left),
            Type::Tuple(parts) => {
                nested > 0 && parts.iter().all(|part| self.parts_fit(part, nested - 1, left))
            }
            Type::Record(record) => {
                let info = self.struct_info(record.def);
                nested > 0
                    && info
                        .fields
                        .iter()
                        .all(|field| self.parts_fit(&field.ty.subst(record), nested - 1, left))
            }
        }
    }

    /// Reports a type that is too large.
    pub fn check_fits(&mut self, ty: &Type, span: Span) -> bool {
        let fits = self.fits(ty);
        if !fits {
            self.report(
                Diagnostic::error(codes::BAD_TYPE, span, "this type is too large").with_note(format!(
                    "a type has at most {MAX_PARTS} parts, and tuples and records stand at most {MAX_NESTED} deep \
                     inside each other; many equal parts make an array"
                )),
            );
        }
        fits
    }

    /// Whether one more instance may be made; reports the first that may not.
    pub fn may_instantiate(&mut self, key: &InstKey, parent: u32, span: Span) -> bool {
        if self.extent.is_endless(key.item) {
            self.errors += 1;
            return false;
        }
        let grows = !key.types.iter().all(|ty| self.fits(ty));
        let depth = self.extent.depth(parent).map_or(0, |depth| depth + 1);
        let mut ends = !grows && depth <= MAX_DEPTH && self.program.funcs.len() <= MAX_INSTANCES;
        if ends && self.extent.asks_for_itself(key.item, parent) {
            self.extent.recursive_text += self.item_text(key.item) + INSTANCE_COST;
            ends = self.extent.recursive_text <= MAX_RECURSIVE_TEXT;
        }
        if !ends {
            self.extent.endless.insert(key.item);
            self.report_endless(key.item, grows, span);
        }
        ends
    }

    /// Stops the function of an instance if it is asked for by itself, because its types have grown too large.
    pub fn stop_recursion(&mut self, instance: u32, span: Span) -> bool {
        let origin = self.extent.origins.get(instance as usize);
        let Some((item, parent)) = origin.and_then(|origin| Some((origin.item?, origin.parent))) else {
            return false;
        };
        let recursive = self.extent.asks_for_itself(item, parent);
        if recursive && self.extent.endless.insert(item) {
            self.report_endless(item, true, span);
        }
        recursive
    }

    fn report_endless(&mut self, item: Item, grows: bool, span: Span) {
        let name = self.item_name(item);
        let message = format!("`{name}` is instantiated without end");
        self.report(Diagnostic::error(codes::TOO_MANY_INSTANCES, span, message).with_note(if grows {
            "its type arguments grow with each call of itself"
        } else {
            "a generic function that calls itself needs an `if` on its const parameters that ends it"
        }));
    }

    fn item_text(&self, item: Item) -> usize {
        let span = match item {
            Item::Fn(id) => self.defs.fns[id.index()].ast.body.as_ref().map(|body| match body {
                FnBody::Expr(value) => value.span,
                FnBody::Block(block) => block.span,
            }),
            Item::Const(id) => self.defs.consts[id.index()].ast.value.as_ref().map(|value| value.span),
        };
        span.map_or(0, |span| (span.hi - span.lo) as usize)
    }
}

fn text_fits(ty: &Type, nested: usize, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    let inner = match ty {
        Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => return true,
        Type::Array { elem, .. } => return text_fits(elem, nested, left),
        Type::Tuple(parts) => parts,
        Type::Record(record) => &record.types,
    };
    nested > 0 && inner.iter().all(|part| text_fits(part, nested - 1, left))
}
