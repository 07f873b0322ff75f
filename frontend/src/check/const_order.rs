//! Which constants a constant names, so that they are evaluated before it and not inside of it:
//! a chain of them may be as long as it likes, and a circle is found before it is walked.

use std::collections::BTreeSet;

use we3_ir::diagnostic::Diagnostic;
use we3_parser::ast::Child;
use we3_parser::ast::{self, Name};

use super::consts::{ConstState, MAX_NESTED};
use super::defs::*;
use super::session::Checker;
use crate::codes;

/// A constant on the path from the one asked for, and those it names.
struct Step<'a> {
    id: ConstId,
    names: Vec<(ConstId, &'a Name)>,
    next: usize,
}

impl<'a> Checker<'a, '_> {
    /// Constants that `id` names, directly or not, each after those it names itself. What a local name
    /// hides may be among them, which does no harm.
    pub fn consts_before(&mut self, id: ConstId) -> Vec<ConstId> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::from([id]);
        let mut inside: BTreeSet<ConstId> = BTreeSet::new();
        let mut path = vec![self.const_step(id)];
        while let Some(step) = path.last_mut() {
            let Some((target, name)) = step.names.get(step.next).copied() else {
                order.extend(path.pop().map(|step| step.id));
                continue;
            };
            step.next += 1;
            if seen.insert(target) {
                if matches!(self.consts[target.index()], ConstState::Untouched) {
                    path.push(self.const_step(target));
                }
            } else if let Some(start) = path.iter().position(|step| step.id == target) {
                let circle: Vec<ConstId> = path[start..].iter().map(|step| step.id).collect();
                if circle.len() > MAX_NESTED {
                    self.report_circle(&circle, name);
                }
                // Smaller circles are found by walking them, from where they are entered.
                inside.extend(&circle[1..]);
            }
        }
        order.pop();
        order.retain(|id| !inside.contains(id));
        order
    }

    fn const_step(&self, id: ConstId) -> Step<'a> {
        let def = &self.defs.consts[id.index()];
        let mut names = Vec::new();
        let mut todo: Vec<Child<'a>> = Vec::new();
        todo.extend(def.ast.value.as_ref().map(Child::Expr));
        todo.extend(def.ast.ty.as_ref().map(Child::Type));
        while let Some(child) = todo.pop() {
            let mut push = |child| todo.push(child);
            match child {
                Child::Expr(expr) => expr.each_child(&mut push),
                Child::Type(ty) => ty.each_child(&mut push),
                Child::Block(block) => block.each_child(&mut push),
                Child::Path(path) => {
                    path.each_child(&mut push);
                    names.extend(self.const_named(def.module, path));
                }
            }
        }
        Step { id, names, next: 0 }
    }

    /// The constant a path may name, without any report.
    fn const_named(&self, module: ModuleId, path: &'a ast::Path) -> Option<(ConstId, &'a Name)> {
        let (last, front) = path.segments.split_last()?;
        let mut module = module;
        for segment in front {
            match self.own_name(module, &segment.name.text)? {
                Def::Module(inner) => module = inner,
                Def::Fn(_) | Def::Struct(_) | Def::Trait(_) | Def::Const(_) | Def::Alias(_) => return None,
            }
        }
        match self.own_name(module, &last.name.text)? {
            Def::Const(id) => Some((id, &last.name)),
            Def::Module(_) | Def::Fn(_) | Def::Struct(_) | Def::Trait(_) | Def::Alias(_) => None,
        }
    }

    fn report_circle(&mut self, circle: &[ConstId], name: &Name) {
        for id in circle {
            self.consts[id.index()] = ConstState::Failed;
        }
        let shown: Vec<String> =
            circle.iter().take(3).map(|id| format!("`{}`", self.const_name(*id))).collect();
        self.report(
            Diagnostic::error(
                codes::CONST_CYCLE,
                name.span,
                format!("the constant `{}` depends on itself", name.text),
            )
            .with_note(format!("through {} constants: {} → …", circle.len(), shown.join(" → "))),
        );
    }

    fn const_name(&self, id: ConstId) -> &str {
        &self.defs.consts[id.index()].ast.name.text
    }
}
