//! What a host calls: wrappers around the root module's public functions, tests and benches. In a
//! wrapper every axis of every parameter is a size of its own; the body binds and checks.

use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, TestInputKind};

use super::body::{Body, CallArg, Target};
use super::defs::*;
use super::session::Checker;
use super::traits::ImplArgs;
use crate::codes;
use crate::typed::{
    Bench, Block, Entry, Expr, ExprKind, Func, HostField, HostParam, HostType, Local, Numerics, Returned,
    Size, Stmt, Test, TestInput, TestSize, Type, const_as_i64,
};

impl<'a> Checker<'a, '_> {
    /// Makes entries, tests and benches.
    pub fn make_entries(&mut self) {
        for index in 0..self.defs.fns.len() {
            let id = FnId(index as u32);
            let def = &self.defs.fns[index];
            let root = def.module == ModuleId(0) && def.owner == Owner::Module;
            if root && def.is_pub && def.ast.body.is_some() && !self.broken.contains(&id) {
                self.make_entry(id);
            }
        }
        if self.options.skip_tests {
            return;
        }
        for index in 0..self.defs.tests.len() {
            let module = self.defs.tests[index].module;
            if module == ModuleId(0) || self.options.all_tests {
                self.make_test(index);
            }
        }
    }

    fn make_entry(&mut self, id: FnId) {
        let signature = self.signature(id);
        let generics = &signature.generics;
        let takes_fns = signature.params.iter().any(|param| matches!(param.ty, ParamType::Fn { .. }));
        if !generics.types.is_empty() || !generics.consts.is_empty() || takes_fns {
            return;
        }
        let bad = |ty: &Type| contains_error(ty);
        let values = signature.params.iter().filter_map(|param| match &param.ty {
            ParamType::Value(ty) => Some(ty),
            ParamType::Fn { .. } => None,
        });
        if values.chain([&signature.result]).any(|ty| self.is_array_of_arrays(ty)) {
            return;
        }
        let broken =
            signature.params.iter().any(|param| matches!(&param.ty, ParamType::Value(ty) if bad(ty)));
        if broken || bad(&signature.result) {
            return;
        }
        let def = &self.defs.fns[id.index()];
        let (name, span, docs) = (def.name.clone(), def.ast.signature, def.docs);
        let docs = docs.iter().map(|doc| doc.text.clone()).collect();
        let mut host = Vec::new();
        for param in &signature.params {
            let ParamType::Value(ty) = &param.ty else { continue };
            host.push(HostParam {
                name: param.name.clone(),
                ty: self.host_type(ty, generics),
                mutable: param.mutable,
                span: param.span,
            });
        }
        let result = self.host_type(&signature.result, generics);
        let errors = self.errors;
        let mut body = self.new_body(ModuleId(0), Rc::default(), Vec::new(), Vec::new(), None, false);
        let mut made = Params::default();
        let mut args = Vec::new();
        for param in &signature.params {
            let ParamType::Value(ty) = &param.ty else { continue };
            let mut value = body.host_param(&param.name, ty, param.span, &mut made);
            value.span = param.span;
            args.push(CallArg::value(value));
        }
        let target = Target { id, outer: ImplArgs::default(), explicit: &[] };
        let value = body.call_def(&target, args, None, span);
        let func = body.finish_wrapper(&name, made, Vec::new(), value, span);
        if let Some(func) = func
            && self.errors == errors
        {
            let func = self.add_made(func);
            self.program.entries.push(Entry { name, func, params: host, result, docs, span });
        }
    }

    /// Whether a type is, or holds, an array whose elements hold arrays: a host has no layout for that.
    fn is_array_of_arrays(&mut self, ty: &Type) -> bool {
        match ty {
            Type::Array { elem, .. } => self.has_array(elem),
            Type::Tuple(parts) => parts.iter().any(|part| self.is_array_of_arrays(part)),
            Type::Record(record) => {
                let info = self.struct_info(record.def);
                info.fields.iter().any(|field| self.is_array_of_arrays(&field.ty.subst(record)))
            }
            Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => false,
        }
    }

    fn has_array(&mut self, ty: &Type) -> bool {
        match ty {
            Type::Array { .. } => true,
            Type::Tuple(parts) => parts.iter().any(|part| self.has_array(part)),
            Type::Record(record) => {
                let info = self.struct_info(record.def);
                info.fields.iter().any(|field| self.has_array(&field.ty.subst(record)))
            }
            Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => false,
        }
    }

    /// A type as a host sees it.
    pub fn host_type(&mut self, ty: &Type, generics: &Generics) -> HostType {
        match ty {
            Type::Scalar(scalar) => HostType::Scalar(*scalar),
            Type::Array { elem, sizes } => HostType::Array {
                elem: Box::new(self.host_type(elem, generics)),
                sizes: sizes.iter().map(|size| self.size_text(size, generics)).collect(),
            },
            Type::Tuple(parts) => {
                HostType::Tuple(parts.iter().map(|part| self.host_type(part, generics)).collect())
            }
            Type::Record(record) => {
                let name = self.type_text(ty, generics);
                let info = self.struct_info(record.def);
                let fields = info
                    .fields
                    .iter()
                    .map(|field| {
                        let ty = field.ty.subst(record);
                        HostField { name: field.name.clone(), ty: self.host_type(&ty, generics) }
                    })
                    .collect();
                HostType::Record { name, fields }
            }
            Type::Infer(_) | Type::Param(_) | Type::Error => HostType::Tuple(Vec::new()),
        }
    }

    fn make_test(&mut self, index: usize) {
        let def = &self.defs.tests[index];
        let (module, ast_body, inputs, span) = (def.module, def.body, def.inputs, def.span);
        let (name, attrs, is_bench) = (def.name, def.attrs, def.is_bench);
        let path = self.defs.modules[module.index()].path.clone();
        let errors = self.errors;
        let mut body = self.new_body(module, Rc::default(), Vec::new(), Vec::new(), None, false);
        body.attributes(attrs, &["edges", "ignore", "fast", "stable", "strict"]);
        body.result.inferred = true;
        let mut made = Params::default();
        let mut stmts = Vec::new();
        let Some(plan) = body.test_inputs(inputs, &mut made, &mut stmts) else { return };
        let block = body.block(ast_body, None);
        stmts.extend(block.stmts);
        if let Some(value) = block.value {
            if value.ty != Type::UNIT && value.ty != Type::Error && !is_bench {
                let shown = body.show(&value.ty);
                body.cx.report(
                    Diagnostic::error(
                        codes::TYPE_MISMATCH,
                        value.span,
                        format!("a test has no value, this is `{shown}`"),
                    )
                    .with_note("write `assert(…);`"),
                );
            }
            let span = value.span;
            stmts.push(Stmt { kind: crate::typed::StmtKind::Expr(*value), span });
        }
        let unit = body.unit(span);
        let prefix = if is_bench { "bench" } else { "test" };
        let func = body.finish_wrapper(&format!("{prefix} {}", name.text), made, stmts, unit, span);
        let Some(func) = func else { return };
        if self.errors > errors {
            return;
        }
        let func = self.add_made(func);
        let entry = Entry {
            name: format!("{prefix}_{}", self.program.tests.len() + self.program.benches.len()),
            func,
            params: plan.params,
            result: HostType::Tuple(Vec::new()),
            docs: Vec::new(),
            span,
        };
        let (name, sizes, inputs) = (name.text.clone(), plan.sizes, plan.inputs);
        if is_bench {
            self.program.benches.push(Bench { name, entry, sizes, inputs, module: path });
        } else {
            let edges = Checker::has_attr(attrs, "edges");
            self.program.tests.push(Test { name, entry, sizes, inputs, edges, module: path });
        }
    }
}

/// Parameters of a wrapper as they are made.
#[derive(Default)]
struct Params {
    sizes: Vec<Local>,
    params: Vec<Local>,
}

/// How a test's inputs are generated.
struct Plan {
    params: Vec<HostParam>,
    sizes: Vec<TestSize>,
    inputs: Vec<TestInput>,
}

impl<'a> Body<'_, 'a, '_> {
    /// A wrapper's parameter: axes are new sizes, records and tuples that hold arrays fall apart.
    fn host_param(&mut self, name: &str, ty: &Type, span: Span, made: &mut Params) -> Expr {
        match ty {
            Type::Array { elem, sizes } => {
                let own: Vec<Size> = sizes
                    .iter()
                    .map(|_| {
                        let local = self.hidden_index(&format!("len({name})"), None, span);
                        made.sizes.push(local);
                        Size::local(local)
                    })
                    .collect();
                self.whole_param(name, (**elem).clone().with_axes(own), span, made)
            }
            Type::Tuple(parts) if holds_array(self, ty) => {
                let values: Vec<Expr> = parts
                    .iter()
                    .enumerate()
                    .map(|(index, part)| self.host_param(&format!("{name}.{index}"), part, span, made))
                    .collect();
                let ty = Type::Tuple(values.iter().map(|value| value.ty.clone()).collect());
                Expr { kind: ExprKind::Tuple(values), ty, span }
            }
            Type::Record(record) if holds_array(self, ty) => {
                let fields = self.fields(record);
                let values: Vec<Expr> = fields
                    .iter()
                    .map(|field| self.host_param(&format!("{name}.{}", field.name), &field.ty, span, made))
                    .collect();
                self.record_of(record, values, span)
            }
            Type::Scalar(_)
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)
            | Type::Error => self.whole_param(name, ty.clone(), span, made),
        }
    }

    fn whole_param(&mut self, name: &str, ty: Type, span: Span, made: &mut Params) -> Expr {
        let local = self.new_local(name, ty, span);
        self.local_mut(local).used = true;
        made.params.push(local);
        self.read(local, span)
    }

    /// The function of a wrapper.
    fn finish_wrapper(
        &mut self,
        name: &str,
        made: Params,
        stmts: Vec<Stmt>,
        value: Expr,
        span: Span,
    ) -> Option<Func> {
        if value.ty == Type::Error {
            return None;
        }
        let mut block = Block { stmts, value: None };
        let result = value.ty.clone();
        // Sizes of the result that the parameters do not have are results themselves.
        let mut fresh = Vec::new();
        let result = fresh_sizes(&result, &made.sizes, &mut fresh);
        let mut tail = Returned { fresh, value };
        self.settle();
        self.finish_block(&mut block);
        self.finish_expr(&mut tail.value);
        let result = self.resolve(&result);
        Some(Func {
            name: format!("{name} (entry)"),
            span,
            locals: self.finished_locals(),
            sizes: made.sizes,
            params: made.params,
            fresh: tail.fresh.len() as u32,
            result,
            body: block,
            tail: Some(tail),
            numerics: Numerics::Strict,
        })
    }

    fn test_inputs(
        &mut self,
        inputs: &'a [ast::TestInput],
        made: &mut Params,
        out: &mut Vec<Stmt>,
    ) -> Option<Plan> {
        let mut plan = Plan { params: Vec::new(), sizes: Vec::new(), inputs: Vec::new() };
        // `n in 1..9` first: types may use it.
        for input in inputs {
            if let TestInputKind::In(source) = &input.kind {
                let range = self.test_range(source, input.span)?;
                plan.sizes.push(TestSize { name: input.name.text.clone(), range: Some(range) });
                let value = self.whole_param(&input.name.text, Type::I64, input.name.span, made);
                if let ExprKind::Local(local) = value.kind {
                    self.local_mut(local).nonneg = range.0 >= 0;
                    self.bind_name(&input.name.text, local);
                }
            }
        }
        // Wrapper parameters stand in the order of the inputs.
        made.params.clear();
        for input in inputs {
            match &input.kind {
                TestInputKind::In(_) => {
                    let index = plan.sizes.iter().position(|size| size.name == input.name.text)?;
                    if let Some(super::body::BindingKind::Local(local)) = self.lookup(&input.name.text) {
                        made.params.push(local);
                    }
                    plan.inputs.push(TestInput::Chosen(index as u32, we3_ir::types::Scalar::I64));
                    plan.params.push(HostParam {
                        name: input.name.text.clone(),
                        ty: HostType::Scalar(we3_ir::types::Scalar::I64),
                        mutable: false,
                        span: input.span,
                    });
                }
                TestInputKind::Typed(ty) => self.typed_input(input, ty, &mut plan, made, out)?,
            }
        }
        Some(plan)
    }

    fn typed_input(
        &mut self,
        input: &'a ast::TestInput,
        ty: &'a ast::Type,
        plan: &mut Plan,
        made: &mut Params,
        out: &mut Vec<Stmt>,
    ) -> Option<()> {
        let shape = self.type_hint(ty).filter(|ty| !contains_error(ty));
        let Some(shape) = shape else {
            self.type_of(ty);
            return None;
        };
        let value = self.host_param(&input.name.text, &shape, input.name.span, made);
        let before = self.scopes.len();
        let want = self.let_type(ty, &value.ty, out);
        // Names bound just now are sizes to choose.
        for binding in &self.scopes[before..] {
            plan.sizes.push(TestSize { name: binding.name.clone(), range: None });
        }
        if want == Type::Error {
            return None;
        }
        let mut sizes = Vec::new();
        want.for_each_size(&mut |size| sizes.push(size.clone()));
        let sizes: Option<Vec<Size>> = sizes.iter().map(|size| self.test_size(size, plan)).collect();
        let Some(sizes) = sizes else {
            self.cx.report(Diagnostic::error(
                codes::UNBOUND_SIZE,
                ty.span,
                "the sizes of a test's input are names, numbers, and what is computed from them",
            ));
            return None;
        };
        let value =
            self.coerce(value, &want, super::body::Wanted { span: Some(ty.span), what: "the type written" });
        let name = &input.name;
        let local = self.new_local(&name.text, want.clone(), name.span);
        out.push(Stmt { kind: crate::typed::StmtKind::Let(local, value), span: input.span });
        self.bind_name(&name.text, local);
        let generics = Generics::default();
        let host = self.cx.host_type(&want, &generics);
        plan.inputs.push(TestInput::Value { ty: host.clone(), sizes });
        plan.params.push(HostParam { name: name.text.clone(), ty: host, mutable: false, span: input.span });
        Some(())
    }

    /// A size of an input over the sizes to choose.
    fn test_size(&self, size: &Size, plan: &Plan) -> Option<Size> {
        let mut missing = false;
        let known: Vec<(Size, Size)> = plan
            .sizes
            .iter()
            .enumerate()
            .filter_map(|(index, chosen)| {
                let own = self.immutable_i64(&chosen.name)?;
                Some((own, Size::atom(crate::typed::Atom::Param(index as u32))))
            })
            .collect();
        let mapped = size.subst(&|atom| {
            let this = Size::atom(atom.clone());
            known.iter().find(|(own, _)| *own == this).map(|(_, param)| param.clone())
        });
        mapped.for_each_atom(&mut |atom| missing |= matches!(atom, crate::typed::Atom::Local(_)));
        (!missing).then_some(mapped)
    }

    fn test_range(&mut self, source: &'a ast::Source, span: Span) -> Option<(i64, i64, i64)> {
        let ast::Source::Range(range) = source else {
            self.cx.report(Diagnostic::error(
                codes::NEEDS_CONSTANT,
                span,
                "a test's size runs over a range of numbers: `n in 1..9`",
            ));
            return None;
        };
        let mut parts = Vec::new();
        for part in [Some(&range.lo), Some(&range.hi), range.step.as_ref()] {
            let value = match part {
                None => 1,
                Some(expr) => {
                    let value = self.index_value(expr);
                    match self.fold(&value).map(const_as_i64).or_else(|| self.as_size(&value)?.as_constant())
                    {
                        Some(value) => value,
                        None => {
                            self.cx.report(Diagnostic::error(
                                codes::NEEDS_CONSTANT,
                                expr.span,
                                "this must be known at compile time",
                            ));
                            return None;
                        }
                    }
                }
            };
            parts.push(value);
        }
        Some((parts[0], parts[1], parts[2].max(1)))
    }
}

/// Replaces sizes that no parameter has by results.
fn fresh_sizes(ty: &Type, known: &[Local], fresh: &mut Vec<Size>) -> Type {
    match ty {
        Type::Array { elem, sizes } => {
            let sizes = sizes
                .iter()
                .map(|size| {
                    let mut ok = true;
                    size.for_each_atom(&mut |atom| {
                        ok &= !matches!(atom, crate::typed::Atom::Local(local) if !known.contains(local));
                    });
                    if ok {
                        return size.clone();
                    }
                    let index = fresh.iter().position(|seen| seen == size).unwrap_or_else(|| {
                        fresh.push(size.clone());
                        fresh.len() - 1
                    });
                    Size::atom(crate::typed::Atom::Fresh(index as u32))
                })
                .collect();
            fresh_sizes(elem, known, fresh).with_axes(sizes)
        }
        Type::Tuple(parts) => Type::Tuple(parts.iter().map(|part| fresh_sizes(part, known, fresh)).collect()),
        Type::Record(record) => {
            let mut record = record.clone();
            for size in &mut record.sizes {
                let ty = fresh_sizes(&Type::BOOL.with_axes(vec![size.clone()]), known, fresh);
                if let Some(new) = ty.sizes().first() {
                    *size = new.clone();
                }
            }
            Type::Record(record)
        }
        Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => ty.clone(),
    }
}

fn holds_array(body: &mut Body<'_, '_, '_>, ty: &Type) -> bool {
    match ty {
        Type::Array { .. } => true,
        Type::Tuple(parts) => parts.iter().any(|part| holds_array(body, part)),
        Type::Record(record) => body.fields(record).iter().any(|field| holds_array(body, &field.ty)),
        Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => false,
    }
}

fn contains_error(ty: &Type) -> bool {
    match ty {
        Type::Error => true,
        Type::Array { elem, .. } => contains_error(elem),
        Type::Tuple(parts) => parts.iter().any(contains_error),
        Type::Record(record) => record.types.iter().any(contains_error),
        Type::Scalar(_) | Type::Infer(_) | Type::Param(_) => false,
    }
}
