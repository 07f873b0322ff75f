//! Functions with all parameters known: asked for by calls, checked from a queue.

use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::body::{Binding, BindingKind, Body, FnVal, LocalData, ResultSpec};
use super::defs::*;
use super::session::Checker;
use crate::codes;
use crate::typed::{
    Atom, Block, ConstArg, Expr, Func, FuncId, Local, Numerics, Returned, Size, Substitution, Type, walk,
};

/// What can be instantiated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Item {
    Fn(FnId),
    Const(ConstId),
}

/// What makes two instances the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct InstKey {
    pub item: Item,
    pub types: Vec<Type>,
    pub consts: Vec<ConstArg>,
    pub fns: Vec<FuncId>,
}

/// A function argument of an instance.
#[derive(Clone, Debug)]
pub struct FnArg {
    /// Its function; captured values come first among its parameters.
    pub func: FuncId,
    /// How many are captured.
    pub captures: usize,
    pub commutative: bool,
}

/// A body to check.
#[derive(Clone, Debug)]
pub struct Job {
    pub func: FuncId,
    pub key: InstKey,
    pub fns: Vec<FnArg>,
}

impl<'a> Checker<'a, '_> {
    /// The instance of a function; its body is checked later.
    pub fn request(
        &mut self,
        id: FnId,
        types: Vec<Type>,
        consts: Vec<ConstArg>,
        fns: Vec<FnArg>,
        origin: u32,
        span: Span,
    ) -> FuncId {
        self.request_item(Item::Fn(id), types, consts, fns, origin, span)
    }

    /// The instance of a function or constant.
    pub fn request_item(
        &mut self,
        item: Item,
        types: Vec<Type>,
        consts: Vec<ConstArg>,
        fns: Vec<FnArg>,
        origin: u32,
        span: Span,
    ) -> FuncId {
        let key = InstKey { item, types, consts, fns: fns.iter().map(|f| f.func).collect() };
        if let Some(func) = self.instances.get(&key) {
            return *func;
        }
        if !self.may_instantiate(&key, origin, span) {
            return FuncId(0);
        }
        let name = self.instance_name(&key);
        let func = self.add_func(placeholder(name, span), Some(item), origin);
        self.instances.insert(key.clone(), func);
        self.queue.push_back(Job { func, key, fns });
        func
    }

    fn add_func(&mut self, func: Func, item: Option<Item>, origin: u32) -> FuncId {
        let id = FuncId(self.program.funcs.len() as u32);
        self.program.funcs.push(func);
        self.extent.add(item, origin);
        id
    }

    /// Adds the function of a lambda.
    pub fn add_lambda(&mut self, mut func: Func, origin: u32) -> FuncId {
        let base = self.program.funcs.get(origin as usize).map_or("", |f| f.name.as_str());
        func.name = format!("{base}|lambda{}", self.program.funcs.len());
        self.add_func(func, None, origin)
    }

    /// Adds a function made by the checker.
    pub fn add_made(&mut self, func: Func) -> FuncId {
        self.add_func(func, None, u32::MAX)
    }

    /// The name of a function or constant.
    pub fn item_name(&self, item: Item) -> String {
        match item {
            Item::Fn(id) => self.defs.fns[id.index()].name.clone(),
            Item::Const(id) => self.defs.consts[id.index()].ast.name.text.clone(),
        }
    }

    fn instance_name(&self, key: &InstKey) -> String {
        let (module, owner) = match key.item {
            Item::Fn(id) => (self.defs.fns[id.index()].module, self.defs.fns[id.index()].owner),
            Item::Const(id) => (self.defs.consts[id.index()].module, self.defs.consts[id.index()].owner),
        };
        let mut name = String::new();
        for part in &self.defs.modules[module.index()].path {
            name.push_str(part);
            name.push_str("::");
        }
        if let Owner::Impl(id) = owner {
            name.push_str(&format!("impl{}::", id.0));
        }
        if let Owner::Trait(id) = owner {
            name.push_str(self.trait_name(id));
            name.push_str("::");
        }
        name.push_str(&self.item_name(key.item));
        let generics = Generics::default();
        let mut args: Vec<String> = key.types.iter().map(|ty| self.type_text(ty, &generics)).collect();
        args.extend(key.consts.iter().map(|value| match value {
            ConstArg::Value(value) => super::consts::show_const(*value),
            ConstArg::Param(_) => "_".to_owned(),
        }));
        if !args.is_empty() {
            name.push_str(&format!("<{}>", args.join(", ")));
        }
        if !key.fns.is_empty() {
            name.push_str(&format!("#{}", self.program.funcs.len()));
        }
        name
    }

    /// Checks bodies until none is asked for.
    pub fn run_queue(&mut self) {
        while let Some(job) = self.queue.pop_front() {
            let func = match job.key.item {
                item if self.extent.is_endless(item) => None,
                Item::Fn(id) => self.fn_instance(id, &job),
                Item::Const(id) => self.const_instance(id, &job),
            };
            if let Some(mut func) = func {
                let slot = &mut self.program.funcs[job.func.0 as usize];
                func.name = std::mem::take(&mut slot.name);
                *slot = func;
            }
        }
    }

    fn fn_instance(&mut self, id: FnId, job: &Job) -> Option<Func> {
        if self.broken.contains(&id) {
            return None;
        }
        self.check_fn(id, job.key.types.clone(), job.key.consts.clone(), job.fns.clone(), job.func.0, false)
    }

    /// Checks a function where it stands: generic ones with open parameters.
    pub fn check_definition(&mut self, id: FnId) {
        let signature = self.signature(id);
        let ast = self.defs.fns[id.index()].ast;
        if ast.body.is_none() {
            if self.defs.fns[id.index()].owner == Owner::Module {
                self.report(Diagnostic::error(
                    codes::MISSING_VALUE,
                    ast.signature,
                    format!("the function `{}` has no body", ast.name.text),
                ));
            }
            return;
        }
        let generics = &signature.generics;
        let takes_fns = signature.params.iter().any(|param| matches!(param.ty, ParamType::Fn { .. }));
        if generics.types.is_empty() && generics.consts.is_empty() && !takes_fns {
            self.request(id, Vec::new(), Vec::new(), Vec::new(), u32::MAX, ast.signature);
            return;
        }
        let types = (0..generics.types.len()).map(|index| Type::Param(index as u32)).collect();
        let consts = (0..generics.consts.len()).map(|index| ConstArg::Param(index as u32)).collect();
        let errors = self.errors;
        self.check_fn(id, types, consts, Vec::new(), u32::MAX, true);
        if self.errors > errors {
            self.broken.insert(id);
        }
    }

    /// Checks a function's body with these arguments.
    fn check_fn(
        &mut self,
        id: FnId,
        types: Vec<Type>,
        consts: Vec<ConstArg>,
        fns: Vec<FnArg>,
        origin: u32,
        abstract_mode: bool,
    ) -> Option<Func> {
        let signature = self.signature(id);
        let def = &self.defs.fns[id.index()];
        let (module, ast, attrs, owner) = (def.module, def.ast, def.attrs, def.owner);
        let self_ty = self.owner_env(owner).1;
        let args = InstArgs { types: types.clone(), consts: consts.clone(), sizes: Vec::new() };
        let self_ty = self_ty.map(|ty| ty.subst(&args));
        let mut body =
            self.new_body(module, signature.generics.clone(), types, consts, self_ty, abstract_mode);
        body.origin = origin;
        body.fn_args.clone_from(&fns);
        body.attributes(
            attrs,
            &["inline", "memo", "fast", "stable", "strict", "commutative", "vjp", "jvp", "edges", "unroll"],
        );
        let (sizes, params) = body.bind_params(&signature, &fns);
        body.result.span = signature.result_span;
        body.result.fresh = signature.fresh.len() as u32;
        let errors = body.cx.errors;
        let mut before = Vec::new();
        for (index, expr) in &signature.opaque {
            if let Some(size) = body.size_of_expr(expr, &mut before) {
                body.result.opaque.push((*index, size));
            }
        }
        let (mut block, value) = match ast.body.as_ref()? {
            ast::FnBody::Expr(expr) => {
                let hint = body.result.ty.clone();
                (Block::default(), Some(body.expr(expr, Some(&hint))))
            }
            ast::FnBody::Block(block) => {
                let hint = body.result.ty.clone();
                let mut block = body.block(block, Some(&hint));
                let value = block.value.take().map(|value| *value);
                (block, value)
            }
        };
        block.stmts.splice(0..0, before);
        let span = ast.body.as_ref().map_or(ast.signature, |b| match b {
            ast::FnBody::Expr(expr) => expr.span,
            ast::FnBody::Block(block) => {
                Span::new(block.span.file, block.span.hi.saturating_sub(1), block.span.hi)
            }
        });
        let reaches_end = super::body::reaches_end(&block);
        let value = value.or_else(|| reaches_end.then(|| body.unit(span)));
        let mut tail = value.and_then(|value| body.returned(value, span));
        body.settle();
        body.finish_block(&mut block);
        if let Some(tail) = &mut tail {
            body.finish_expr(&mut tail.value);
        }
        if body.cx.errors == errors {
            // An instance may leave out what another uses.
            if abstract_mode || body.types.is_empty() && body.consts.is_empty() {
                body.warn_unused();
                body.warn_unchanged();
            }
        }
        if abstract_mode || body.cx.errors > errors {
            return None;
        }
        let locals = body.finished_locals();
        let result = body.result.ty.clone();
        let fresh = body.result.fresh;
        Some(Func {
            name: String::new(),
            span: ast.signature,
            locals,
            sizes,
            params,
            fresh,
            result,
            body: block,
            tail,
            numerics: numerics(attrs),
        })
    }

    /// Reports functions that call themselves at run time.
    pub fn check_recursion(&mut self) {
        let calls: Vec<Vec<FuncId>> = self
            .program
            .funcs
            .iter_mut()
            .map(|func| {
                let mut callees = Vec::new();
                let mut visit = |expr: &mut Expr| {
                    if let crate::typed::ExprKind::Call { func, .. } = &expr.kind {
                        callees.push(*func);
                    }
                };
                walk::block_mut(&mut func.body, &mut visit);
                if let Some(tail) = &mut func.tail {
                    walk::exprs_mut(&mut tail.value, &mut visit);
                }
                callees
            })
            .collect();
        // 0: not seen, 1: on the path, 2: done.
        let mut state = vec![0u8; calls.len()];
        for start in 0..calls.len() {
            let mut path: Vec<(usize, usize)> = Vec::new();
            if state[start] == 0 {
                state[start] = 1;
                path.push((start, 0));
            }
            while let Some((node, next)) = path.last_mut() {
                let Some(target) = calls[*node].get(*next).map(|func| func.0 as usize) else {
                    state[*node] = 2;
                    path.pop();
                    continue;
                };
                *next += 1;
                match state.get(target) {
                    Some(0) => {
                        state[target] = 1;
                        path.push((target, 0));
                    }
                    Some(1) => {
                        let at = path.iter().position(|(node, _)| *node == target).unwrap_or(0);
                        let names: Vec<String> = path[at..]
                            .iter()
                            .map(|(node, _)| format!("`{}`", self.program.funcs[*node].name))
                            .collect();
                        let span = self.program.funcs[target].span;
                        self.report(
                            Diagnostic::error(codes::RECURSION, span, "a function calls itself at run time")
                                .with_note(format!("{} → {}", names.join(" → "), names.first().map_or("", String::as_str)))
                                .with_note("write a loop; a generic function may call itself with smaller const parameters"),
                        );
                    }
                    _ => {}
                }
            }
        }
    }
}

impl<'a, 's> Checker<'a, 's> {
    /// An empty checker of a body.
    pub fn new_body<'c>(
        &'c mut self,
        module: ModuleId,
        generics: Rc<Generics>,
        types: Vec<Type>,
        consts: Vec<ConstArg>,
        self_ty: Option<Type>,
        abstract_mode: bool,
    ) -> Body<'c, 'a, 's> {
        let errors_before = self.errors;
        Body {
            cx: self,
            module,
            generics,
            types,
            consts,
            self_ty,
            abstract_mode,
            vars: Vec::new(),
            locals: Vec::new(),
            scopes: Vec::new(),
            pending: Vec::new(),
            obligations: Vec::new(),
            result: ResultSpec {
                ty: Type::UNIT,
                span: Span::default(),
                fresh: 0,
                inferred: false,
                opaque: Vec::new(),
            },
            depth: 0,
            around: Vec::new(),
            facts: Vec::new(),
            holes: Vec::new(),
            open_sizes: Default::default(),
            origin: u32::MAX,
            errors_before,
            binders_beside: Vec::new(),
            fn_args: Vec::new(),
            applying: 0,
            applied: 0,
            nested: 0,
            type_pre: Vec::new(),
            marks: None,
        }
    }
}

impl<'a> Body<'_, 'a, '_> {
    /// Makes variables of a signature's parameters; gives the size and the other parameters.
    fn bind_params(&mut self, signature: &Signature<'a>, fns: &[FnArg]) -> (Vec<Local>, Vec<Local>) {
        let mut args = InstArgs { types: self.types.clone(), consts: self.consts.clone(), sizes: Vec::new() };
        let mut sizes = Vec::new();
        let mut value_locals: Vec<Option<Local>> = vec![None; signature.params.len()];
        for param in &signature.generics.sizes {
            let local = self.new_local(&param.name, Type::I64, param.span);
            match param.value_param {
                None => {
                    let data: &mut LocalData = self.local_mut(local);
                    data.nonneg = true;
                    data.used = true;
                    self.bind_name(&param.name, local);
                    sizes.push(local);
                }
                Some(index) => {
                    // It stands in a type.
                    self.local_mut(local).used = true;
                    value_locals[index] = Some(local);
                }
            }
            args.sizes.push(local);
        }
        let mut params = Vec::new();
        let mut next_fn = fns.iter();
        let mut given = Vec::new();
        for param in &signature.params {
            if let ParamType::Fn { params: fn_params, result } = &param.ty {
                let fn_params: Vec<Type> = fn_params.iter().map(|ty| ty.subst(&args)).collect();
                let result = result.subst(&args);
                let value = match next_fn.next() {
                    Some(arg) => self.given_fn(arg, fn_params, result, &mut params, param.span),
                    None => FnVal::Abstract { params: fn_params, result },
                };
                given.push((param.name.clone(), value));
            }
        }
        for (index, param) in signature.params.iter().enumerate() {
            let ParamType::Value(ty) = &param.ty else { continue };
            let ty = ty.subst(&args);
            let local = match value_locals[index] {
                Some(local) => local,
                None => self.new_local(&param.name, ty, param.span),
            };
            let data = self.local_mut(local);
            data.info.mutable = param.mutable;
            data.used |= param.name == "self";
            self.bind_name(&param.name, local);
            params.push(local);
        }
        for (name, value) in given {
            self.scopes.push(Binding { name, kind: BindingKind::Fn(Rc::new(value)) });
        }
        self.result.ty = signature.result.subst(&args);
        (sizes, params)
    }

    /// A function parameter of this instance: its captured values are parameters here.
    fn given_fn(
        &mut self,
        arg: &FnArg,
        params: Vec<Type>,
        result: Type,
        out: &mut Vec<Local>,
        span: Span,
    ) -> FnVal<'a> {
        let Some(func) = self.cx.program.funcs.get(arg.func.0 as usize) else {
            return FnVal::Abstract { params, result };
        };
        let infos: Vec<(Local, crate::typed::LocalInfo)> = func.params[..arg.captures.min(func.params.len())]
            .iter()
            .map(|local| (*local, func.locals[local.0 as usize].clone()))
            .collect();
        let mut renamed: Vec<(Local, Local)> = Vec::new();
        let mut captures = Vec::new();
        for (old, info) in infos {
            let ty = info.ty.subst(&Renamed(&renamed));
            let local = self.new_local(&info.name, ty, span);
            let data = self.local_mut(local);
            data.hidden = true;
            data.used = true;
            renamed.push((old, local));
            captures.push(local);
            out.push(local);
        }
        FnVal::Given { func: arg.func, captures, params, result, commutative: arg.commutative }
    }
}

/// What a signature's parameters are in a body.
pub struct InstArgs {
    pub types: Vec<Type>,
    pub consts: Vec<ConstArg>,
    pub sizes: Vec<Local>,
}

impl Substitution for InstArgs {
    fn type_param(&self, index: u32) -> Option<Type> {
        self.types.get(index as usize).cloned()
    }

    fn const_param(&self, index: u32) -> Option<ConstArg> {
        self.consts.get(index as usize).copied()
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        match atom {
            Atom::Param(index) => self.sizes.get(*index as usize).map(|local| Size::local(*local)),
            Atom::Const(index) => match self.consts.get(*index as usize)? {
                ConstArg::Value(value) => Some(super::signature::const_size(*value)),
                ConstArg::Param(outer) => Some(Size::atom(Atom::Const(*outer))),
            },
            Atom::Local(_) | Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) | Atom::Fresh(_) => None,
        }
    }
}

/// Variables of one function as variables of another.
struct Renamed<'l>(&'l [(Local, Local)]);

impl Substitution for Renamed<'_> {
    fn type_param(&self, _: u32) -> Option<Type> {
        None
    }

    fn const_param(&self, _: u32) -> Option<ConstArg> {
        None
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        let Atom::Local(local) = atom else { return None };
        self.0.iter().find(|(old, _)| old == local).map(|(_, new)| Size::local(*new))
    }
}

fn placeholder(name: String, span: Span) -> Func {
    Func {
        name,
        span,
        locals: Vec::new(),
        sizes: Vec::new(),
        params: Vec::new(),
        fresh: 0,
        result: Type::UNIT,
        body: Block::default(),
        tail: None::<Returned>,
        numerics: Numerics::Strict,
    }
}

fn numerics(attrs: &[ast::Attr]) -> Numerics {
    if Checker::has_attr(attrs, "fast") {
        Numerics::Fast
    } else if Checker::has_attr(attrs, "stable") {
        Numerics::Stable
    } else {
        Numerics::Strict
    }
}
