//! One run of the checker: its tables, its diagnostics, and the order of the steps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use we3_ir::diagnostic::{Diagnostic, Severity};
use we3_ir::span::Span;
use we3_parser::ast;

use super::consts::{ConstEval, ConstState};
use super::defs::*;
use super::extent::Extent;
use super::instances::{InstKey, Job};
use super::load::Reading;
use super::signature::{AliasState, ImplInfo, StructInfo};
use super::{collect, hints, load};
use crate::codes;
use crate::source::{SourceMap, SourceProvider};
use crate::stack::on_large_stack;
use crate::typed::{Expr, ExprKind, FuncId, Program, Site, SiteId, SiteKind, walk};

/// What the caller wants checked and reported.
#[derive(Clone, Copy, Default)]
pub struct CheckOptions<'e> {
    /// Evaluates at compile time what the checker's own folding cannot.
    pub const_eval: Option<&'e dyn ConstEval>,
    /// Tests and benches of every module, not only the root's.
    pub all_tests: bool,
    /// `-W sizes`: report sizes that are checked at run time.
    pub warn_sizes: bool,
    /// Leave out tests and benches.
    pub skip_tests: bool,
    /// Check generic functions that nothing uses only by their signature (std modules in a user's run).
    pub trust_std: bool,
}

/// What came out.
#[derive(Debug)]
pub struct CheckResult {
    /// The program, if there was no error.
    pub program: Option<Program>,
    /// Everything found, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read.
    pub sources: SourceMap,
}

/// Checks the program whose root module the provider gives for the empty path.
pub fn check(provider: &dyn SourceProvider, options: CheckOptions<'_>) -> CheckResult {
    on_large_stack(|| check_here(provider, options))
}

fn check_here(provider: &dyn SourceProvider, options: CheckOptions<'_>) -> CheckResult {
    if options.trust_std && !options.all_tests {
        let result = check_reading(provider, options, Reading::Reached);
        if result.program.is_some() {
            return result;
        }
    }
    check_reading(provider, options, Reading::Whole)
}

fn check_reading(provider: &dyn SourceProvider, options: CheckOptions<'_>, reading: Reading) -> CheckResult {
    let mut sources = SourceMap::default();
    let mut diagnostics = Vec::new();
    let modules = load::load(provider, &mut sources, &mut diagnostics, reading);
    load::check_cycles(&modules, &mut diagnostics);
    let syntax_errors = diagnostics.iter().any(Diagnostic::is_error);
    let defs = collect::collect(&modules, &mut diagnostics);
    let mut checker = Checker::new(defs, &sources, options);
    checker.run();
    let (program, mut found) = (checker.program, checker.diagnostics);
    // After a syntax error, names that seem to be missing may stand in what was skipped.
    diagnostics.append(&mut found);
    hints::complete(provider, &sources, &mut diagnostics);
    let doubtful = load::items_with_errors(&modules, &diagnostics);
    let about_use = [codes::UNUSED_VARIABLE, codes::UNUSED_MUT, codes::UNUSED_IMPORT];
    // What an item with an error uses is not known; nor what the whole program imports for it.
    diagnostics.retain(|one| {
        let place = one.primary_span();
        let inside =
            doubtful.iter().any(|item| item.file == place.file && item.lo <= place.lo && place.hi <= item.hi);
        !about_use.contains(&one.code)
            || !(inside || one.code == codes::UNUSED_IMPORT && !doubtful.is_empty())
    });
    diagnostics.sort_by_key(|diagnostic| {
        let span = diagnostic.primary_span();
        (span.file, span.lo, span.hi)
    });
    let failed = syntax_errors || diagnostics.iter().any(|d| d.severity == Severity::Error);
    CheckResult { program: (!failed).then_some(program), diagnostics, sources }
}

/// The state of a run. `'a` is the life of the syntax trees, `'s` of the source map and options.
pub struct Checker<'a, 's> {
    pub defs: Defs<'a>,
    pub sources: &'s SourceMap,
    pub options: CheckOptions<'s>,
    pub diagnostics: Vec<Diagnostic>,
    reported: BTreeSet<(&'static str, Span)>,
    /// While > 0 diagnostics are only counted.
    pub quiet: u32,
    /// Errors so far, the quiet ones included.
    pub errors: u32,
    pub program: Program,
    pub structs: Vec<Option<Rc<StructInfo>>>,
    pub struct_state: Vec<u8>,
    /// Records with more parts than can be compiled; reported.
    pub too_large: BTreeSet<crate::typed::RecordId>,
    pub impls: Vec<Option<Rc<ImplInfo>>>,
    pub supers: Vec<Option<Rc<Vec<TraitId>>>>,
    pub signatures: Vec<Option<Rc<Signature<'a>>>>,
    /// Functions whose body was found wrong; they are not instantiated.
    pub broken: BTreeSet<FnId>,
    pub consts: Vec<ConstState>,
    /// Constants being evaluated now.
    pub busy_consts: usize,
    pub instances: BTreeMap<InstKey, FuncId>,
    pub queue: VecDeque<Job>,
    /// Who asked for each instance.
    pub extent: Extent,
    pub aliases: Vec<AliasState>,
    pub used_names: BTreeSet<(ModuleId, String)>,
}

impl<'a, 's> Checker<'a, 's> {
    fn new(defs: Defs<'a>, sources: &'s SourceMap, options: CheckOptions<'s>) -> Checker<'a, 's> {
        let (structs, impls, traits) = (defs.structs.len(), defs.impls.len(), defs.traits.len());
        let (fns, consts, aliases) = (defs.fns.len(), defs.consts.len(), defs.aliases.len());
        Checker {
            defs,
            sources,
            options,
            diagnostics: Vec::new(),
            reported: BTreeSet::new(),
            quiet: 0,
            errors: 0,
            program: Program::default(),
            structs: vec![None; structs],
            struct_state: vec![0; structs],
            too_large: BTreeSet::new(),
            impls: vec![None; impls],
            supers: vec![None; traits],
            signatures: vec![None; fns],
            broken: BTreeSet::new(),
            consts: vec![ConstState::Untouched; consts],
            busy_consts: 0,
            instances: BTreeMap::new(),
            queue: VecDeque::new(),
            extent: Extent::default(),
            aliases: vec![AliasState::Untouched; aliases],
            used_names: BTreeSet::new(),
        }
    }

    fn run(&mut self) {
        for index in 0..self.defs.structs.len() {
            self.struct_info(crate::typed::RecordId(index as u32));
        }
        self.fill_records();
        for index in 0..self.defs.traits.len() {
            self.check_trait(TraitId(index as u32));
        }
        for index in 0..self.defs.impls.len() {
            self.check_impl(ImplId(index as u32));
        }
        for index in 0..self.defs.aliases.len() {
            let id = AliasId(index as u32);
            if self.defs.aliases[index].ast.generics.params.is_empty() {
                self.alias_template(id);
            }
        }
        for index in 0..self.defs.consts.len() {
            self.check_const_item(ConstId(index as u32));
        }
        for index in 0..self.defs.fns.len() {
            let id = FnId(index as u32);
            self.signature(id);
            if self.wants_definition_check(id) {
                self.check_definition(id);
            }
        }
        self.make_entries();
        self.run_queue();
        self.check_recursion();
        self.warn_imports();
        if self.errors == 0 {
            self.evaluate_constants();
        }
        if self.errors == 0 {
            self.check_finished();
        }
    }

    /// The program's own scalar constants have values, used or not.
    fn evaluate_constants(&mut self) {
        for index in 0..self.defs.consts.len() {
            let def = &self.defs.consts[index];
            let module = &self.defs.modules[def.module.index()];
            let own = def.owner == Owner::Module && module.path.first().is_none_or(|part| part != "std");
            let span = def.ast.value.as_ref().map_or(def.span, |value| value.span);
            let id = ConstId(index as u32);
            let scalar = own && self.const_info(id, span).is_some_and(|info| info.ty.as_scalar().is_some());
            if scalar && self.options.const_eval.is_some() {
                self.const_value(id, span);
            }
        }
    }

    /// A program without errors holds nothing unfinished; if it does, that is a fault of ours.
    fn check_finished(&mut self) {
        let mut found = Vec::new();
        for func in &mut self.program.funcs {
            let mut visit = |expr: &mut Expr| {
                if matches!(expr.kind, ExprKind::Pending(..) | ExprKind::Error) {
                    found.push(expr.span);
                }
            };
            walk::block_mut(&mut func.body, &mut visit);
            if let Some(tail) = &mut func.tail {
                walk::exprs_mut(&mut tail.value, &mut visit);
            }
        }
        for span in found {
            self.report(
                Diagnostic::error(codes::CHECKER_FAULT, span, "the checker lost track of this expression")
                    .with_note("this is a fault of the compiler; please report it with the program"),
            );
        }
    }

    /// Imports of the program's own modules that nothing uses.
    fn warn_imports(&mut self) {
        let mut unused = Vec::new();
        for (index, module) in self.defs.modules.iter().enumerate() {
            let id = ModuleId(index as u32);
            let own = module.path.first().is_none_or(|part| part != "std");
            let names = module.names.iter().filter(|(_, entry)| entry.imported && !entry.is_pub);
            let names = names.filter(|(name, _)| !self.used_names.contains(&(id, (*name).clone())));
            if own {
                unused.extend(names.map(|(name, entry)| (name.clone(), entry.span)));
            }
        }
        for (name, span) in unused {
            let message = format!("`{name}` is imported, but never used");
            self.report(Diagnostic::warning(crate::codes::UNUSED_IMPORT, span, message));
        }
    }

    /// Whether a body is checked where it stands, before any use. (What is used is checked in any case.)
    fn wants_definition_check(&self, id: FnId) -> bool {
        let module = self.defs.fns[id.index()].module;
        let is_std = self.defs.modules[module.index()].path.first().is_some_and(|part| part == "std");
        let root_is_std =
            self.defs.modules.first().is_some_and(|m| m.path.first().is_some_and(|p| p == "std"));
        !(self.options.trust_std && is_std && !root_is_std)
    }

    /// Reports, unless quiet or reported before.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.is_error() {
            self.errors += 1;
        }
        if self.quiet > 0 {
            return;
        }
        if self.reported.insert((diagnostic.code.0, diagnostic.primary_span())) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// A new site.
    pub fn site(&mut self, span: Span, kind: SiteKind) -> SiteId {
        let id = SiteId(self.program.sites.len() as u32);
        self.program.sites.push(Site { span, kind });
        id
    }

    /// The text of a span, on one line, shortened.
    pub fn text(&self, span: Span) -> String {
        let text: Vec<&str> = self.sources.slice(span).split_whitespace().collect();
        let text = text.join(" ");
        if text.chars().count() > 40 {
            let short: String = text.chars().take(37).collect();
            format!("{short}…")
        } else {
            text
        }
    }

    /// Whether an item has an attribute.
    pub fn has_attr(attrs: &[ast::Attr], name: &str) -> bool {
        attrs.iter().any(|attr| attr.name.text == name)
    }
}
