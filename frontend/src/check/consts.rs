//! Constants: items, const parameters' arguments, conditions known at compile time. Folds scalars
//! itself; what needs more goes to the evaluator that the driver hands in.

use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp, UnaryOp};
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::body::Body;
use super::defs::*;
use super::instances::{InstArgs, Item, Job};
use super::session::Checker;
use super::traits::ImplArgs;
use crate::codes;
use crate::typed::{
    Block, Const, Expr, ExprKind, Func, FuncId, Numerics, Program, Returned, Type, const_as_i64,
};

/// Runs functions at compile time, with a budget.
pub trait ConstEval: Sync {
    /// The scalar that a function without parameters returns. `Err` says why there is none.
    fn eval(&self, program: &Program, func: FuncId) -> Result<Const, String>;
}

/// Constants that may wait for each other: each is checked inside the one that needs it.
pub const MAX_NESTED: usize = 50;

/// How far a constant is.
#[derive(Clone, Debug)]
pub enum ConstState {
    Untouched,
    /// Being evaluated: meeting it again is a circle.
    Busy,
    Done(ConstInfo),
    Failed,
}

/// A constant item.
#[derive(Clone, Debug)]
pub struct ConstInfo {
    pub ty: Type,
    /// Its value, if it is a scalar.
    pub value: Option<Const>,
    /// The function that makes it.
    pub func: Option<FuncId>,
}

impl<'a> Checker<'a, '_> {
    /// A module's constant is checked even if nothing uses it.
    pub fn check_const_item(&mut self, id: ConstId) {
        let def = &self.defs.consts[id.index()];
        if def.owner == Owner::Module {
            let span = def.span;
            self.const_info(id, span);
        }
    }

    /// A module's constant; `None` after a report.
    pub fn const_info(&mut self, id: ConstId, span: Span) -> Option<ConstInfo> {
        match &self.consts[id.index()] {
            ConstState::Done(info) => return Some(info.clone()),
            ConstState::Failed => return None,
            ConstState::Busy => {
                let def = self.defs.consts[id.index()].ast;
                self.report(
                    Diagnostic::error(
                        codes::CONST_CYCLE,
                        span,
                        format!("the constant `{}` depends on itself", def.name.text),
                    )
                    .with_label(def.name.span, "declared here"),
                );
                return None;
            }
            ConstState::Untouched => {}
        }
        if self.busy_consts == 0 {
            for before in self.consts_before(id) {
                if matches!(self.consts[before.index()], ConstState::Untouched) {
                    let span = self.defs.consts[before.index()].span;
                    self.evaluate_const(before, span);
                }
            }
        }
        match &self.consts[id.index()] {
            ConstState::Untouched => self.evaluate_const(id, span),
            ConstState::Done(info) => Some(info.clone()),
            ConstState::Busy | ConstState::Failed => None,
        }
    }

    fn evaluate_const(&mut self, id: ConstId, span: Span) -> Option<ConstInfo> {
        if self.busy_consts >= MAX_NESTED {
            self.consts[id.index()] = ConstState::Failed;
            let message = format!("constants depend on each other more than {MAX_NESTED} deep");
            self.report(Diagnostic::error(codes::CONST_FAILED, span, message));
            return None;
        }
        self.consts[id.index()] = ConstState::Busy;
        self.busy_consts += 1;
        let func = self.request_item(Item::Const(id), Vec::new(), Vec::new(), Vec::new(), u32::MAX, span);
        // The body is checked at once: its value may be needed in a type.
        let position = self.queue.iter().position(|job| job.func == func);
        let job = position.and_then(|at| self.queue.remove(at));
        let made = job.and_then(|job| self.const_instance(id, &job));
        let info = made.map(|made| {
            let value = made.tail.as_ref().and_then(|tail| fold(&tail.value, &|_| None));
            let ty = made.result.clone();
            let slot = &mut self.program.funcs[func.0 as usize];
            let name = std::mem::take(&mut slot.name);
            *slot = Func { name, ..made };
            ConstInfo { ty, value, func: Some(func) }
        });
        self.busy_consts -= 1;
        self.consts[id.index()] = match &info {
            Some(info) => ConstState::Done(info.clone()),
            None => ConstState::Failed,
        };
        info
    }

    /// The value of an integer or `bool` constant, evaluated if need be.
    pub fn const_value(&mut self, id: ConstId, span: Span) -> Option<Const> {
        let info = self.const_info(id, span)?;
        if let Some(value) = info.value {
            return Some(value);
        }
        let evaluated = match (self.options.const_eval, info.func) {
            (Some(eval), Some(func)) if info.ty.as_scalar().is_some() => {
                self.run_queue();
                eval.eval(&self.program, func)
            }
            _ => Err("it is not made of literals, operators and other constants".to_owned()),
        };
        match evaluated {
            Ok(value) => {
                let done = ConstInfo { value: Some(value), ..info };
                self.consts[id.index()] = ConstState::Done(done);
                Some(value)
            }
            Err(why) => {
                let name = self.defs.consts[id.index()].ast.name.text.clone();
                self.report(
                    Diagnostic::error(
                        codes::CONST_FAILED,
                        span,
                        format!("the constant `{name}` cannot be evaluated at compile time"),
                    )
                    .with_note(why),
                );
                None
            }
        }
    }

    /// The body of a constant with its parameters known.
    pub fn const_instance(&mut self, id: ConstId, job: &Job) -> Option<Func> {
        let def = &self.defs.consts[id.index()];
        let (module, ast, owner) = (def.module, def.ast, def.owner);
        let (generics, self_ty) = self.owner_env(owner);
        let args =
            InstArgs { types: job.key.types.clone(), consts: job.key.consts.clone(), sizes: Vec::new() };
        let self_ty = self_ty.map(|ty| ty.subst(&args));
        let given = match owner {
            Owner::Impl(_) if ast.ty.is_none() => self_ty.as_ref().and_then(|ty| self.trait_const_ty(id, ty)),
            Owner::Impl(_) | Owner::Module | Owner::Trait(_) => None,
        };
        let value = ast.value.as_ref()?;
        let mut body = self.new_body(
            module,
            Rc::new(generics),
            job.key.types.clone(),
            job.key.consts.clone(),
            self_ty,
            false,
        );
        body.origin = job.func.0;
        let errors = body.cx.errors;
        let want = match (&ast.ty, given) {
            (Some(ty), _) => Some(body.type_of(ty)),
            (None, given) => given,
        };
        let value = body.expr(value, want.as_ref());
        let value = match &want {
            Some(want) => {
                let span = ast.ty.as_ref().map(|ty| ty.span);
                body.coerce(value, want, super::body::Wanted { span, what: "the type written" })
            }
            None => value,
        };
        finish_const(&mut body, value, ast, errors)
    }

    /// The type a trait's constant has for a type.
    pub fn const_type(&mut self, id: ConstId, self_ty: &Type) -> Option<Type> {
        let def = &self.defs.consts[id.index()];
        let (module, ast, owner) = (def.module, def.ast, def.owner);
        match &ast.ty {
            Some(ty) => {
                let (generics, _) = self.owner_env(owner);
                let mut env = super::signature::SigEnv {
                    checker: self,
                    module,
                    generics,
                    self_ty: Some(self_ty.clone()),
                    value_params: Vec::new(),
                    binds: false,
                    fresh: None,
                    opaque: Vec::new(),
                };
                Some(super::elaborate::elaborate(&mut env, ty))
            }
            None => self.trait_const_ty(id, self_ty),
        }
    }

    fn trait_const_ty(&mut self, id: ConstId, self_ty: &Type) -> Option<Type> {
        let def = &self.defs.consts[id.index()];
        let Owner::Impl(owner) = def.owner else { return None };
        let name = def.ast.name.text.clone();
        let of = self.impl_info(owner).of_trait?;
        let all = self.supers(of);
        let model = all.iter().find_map(|of| self.defs.traits[of.index()].consts.get(&name).copied())?;
        self.const_type(model, self_ty)
    }

    /// A constant of a type's own `impl`.
    pub fn impl_const_value(&mut self, id: ConstId, outer: &ImplArgs, ty: &Type, span: Span) -> Option<Expr> {
        let result = self.const_type(id, ty)?;
        let func = self.request_item(
            Item::Const(id),
            outer.types.clone(),
            outer.consts.clone(),
            Vec::new(),
            u32::MAX,
            span,
        );
        let kind = ExprKind::Call { func, sizes: Vec::new(), args: Vec::new(), fresh: Vec::new() };
        Some(Expr { kind, ty: result, span })
    }

    /// A constant expression in a signature.
    pub fn const_expr(&mut self, module: ModuleId, expr: &'a ast::Expr, ty: Scalar) -> Option<Const> {
        let mut body = self.new_body(module, Rc::default(), Vec::new(), Vec::new(), None, false);
        let value = body.expr(expr, Some(&Type::Scalar(ty)));
        const_of(&mut body, value, ty)
    }

    /// A path to a constant in a signature.
    pub fn const_path(&mut self, module: ModuleId, path: &'a ast::Path, ty: Scalar) -> Option<Const> {
        let mut body = self.new_body(module, Rc::default(), Vec::new(), Vec::new(), None, false);
        let value = body.path_value(path, Some(&Type::Scalar(ty)), path.span);
        const_of(&mut body, value, ty)
    }
}

fn const_of(body: &mut Body<'_, '_, '_>, value: Expr, ty: Scalar) -> Option<Const> {
    let span = value.span;
    let wanted = super::body::Wanted { span: None, what: "the const parameter" };
    let value = body.coerce(value, &Type::Scalar(ty), wanted);
    if value.ty == Type::Error {
        return None;
    }
    let folded = body.fold(&value);
    if folded.is_none() {
        body.cx.report(Diagnostic::error(codes::NOT_CONST, span, "this must be known at compile time"));
    }
    folded
}

fn finish_const(
    body: &mut Body<'_, '_, '_>,
    mut value: Expr,
    ast: &ast::ConstItem,
    errors: u32,
) -> Option<Func> {
    body.settle();
    body.finish_expr(&mut value);
    if body.cx.errors > errors || value.ty == Type::Error {
        return None;
    }
    let locals = body.finished_locals();
    let result = value.ty.clone();
    Some(Func {
        name: String::new(),
        span: ast.name.span,
        locals,
        sizes: Vec::new(),
        params: Vec::new(),
        fresh: 0,
        result,
        body: Block::default(),
        tail: Some(Returned { fresh: Vec::new(), value }),
        numerics: Numerics::Strict,
    })
}

/// An integer as a constant of a type.
pub fn const_of_i64(value: i64, ty: Scalar) -> Const {
    let mask = if ty.bits() >= 64 { u64::MAX } else { (1 << ty.bits()) - 1 };
    Const { ty, bits: value as u64 & mask }
}

/// As written.
pub fn show_const(value: Const) -> String {
    match value.ty {
        Scalar::Bool => (value.bits != 0).to_string(),
        Scalar::U64 => value.bits.to_string(),
        Scalar::F32 => f32::from_bits(value.bits as u32).to_string(),
        Scalar::F64 => f64::from_bits(value.bits).to_string(),
        Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::F16
        | Scalar::Bf16 => const_as_i64(value).to_string(),
    }
}

/// The constant an expression is. `leaf` knows variables and what is pending.
pub fn fold(expr: &Expr, leaf: &dyn Fn(&Expr) -> Option<Const>) -> Option<Const> {
    match &expr.kind {
        ExprKind::Const(value) => Some(*value),
        ExprKind::Size(size) => Some(const_of_i64(size.as_constant()?, Scalar::I64)),
        ExprKind::Unary(op, a) => fold_unary(*op, fold(a, leaf)?),
        ExprKind::Binary(op, a, b, _) => fold_binary(*op, fold(a, leaf)?, fold(b, leaf)?),
        ExprKind::Compare(op, a, b) => fold_compare(*op, fold(a, leaf)?, fold(b, leaf)?),
        ExprKind::Convert(a) => {
            let value = fold(a, leaf)?;
            let to = expr.ty.as_scalar()?;
            fold_convert(value, to)
        }
        ExprKind::If { cond, then, otherwise } => {
            let block = if fold(cond, leaf)?.bits != 0 { then } else { otherwise };
            if block.stmts.is_empty() { fold(block.value.as_ref()?, leaf) } else { None }
        }
        ExprKind::Block(block) if block.stmts.is_empty() => fold(block.value.as_ref()?, leaf),
        ExprKind::Local(_)
        | ExprKind::Len(..)
        | ExprKind::Fma(..)
        | ExprKind::Select(..)
        | ExprKind::Bitcast(_)
        | ExprKind::Tuple(_)
        | ExprKind::Field(..)
        | ExprKind::Array(_)
        | ExprKind::Build { .. }
        | ExprKind::Index { .. }
        | ExprKind::Reshape(_)
        | ExprKind::Reduce { .. }
        | ExprKind::Dot { .. }
        | ExprKind::DotBy { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Scatter { .. }
        | ExprKind::Update { .. }
        | ExprKind::Block(_)
        | ExprKind::Call { .. }
        | ExprKind::Pending(..)
        | ExprKind::Error => leaf(expr),
    }
}

fn fold_unary(op: UnaryOp, a: Const) -> Option<Const> {
    if a.ty.is_float() {
        return match (op, a.ty) {
            (UnaryOp::Neg, Scalar::F64) => {
                Some(Const { ty: a.ty, bits: (-f64::from_bits(a.bits)).to_bits() })
            }
            (UnaryOp::Neg, Scalar::F32) => {
                Some(Const { ty: a.ty, bits: u64::from((-f32::from_bits(a.bits as u32)).to_bits()) })
            }
            _ => None,
        };
    }
    let value = const_as_i64(a);
    Some(match op {
        UnaryOp::Neg => const_of_i64(value.wrapping_neg(), a.ty),
        UnaryOp::Not if a.ty == Scalar::Bool => Const { ty: a.ty, bits: u64::from(a.bits == 0) },
        UnaryOp::Not => const_of_i64(!value, a.ty),
        UnaryOp::CountOnes => const_of_i64(i64::from(a.bits.count_ones()), a.ty),
        UnaryOp::TrailingZeros => const_of_i64(i64::from(a.bits.trailing_zeros().min(a.ty.bits())), a.ty),
        UnaryOp::LeadingZeros => {
            const_of_i64(i64::from(a.bits.leading_zeros()) - i64::from(64 - a.ty.bits()), a.ty)
        }
        UnaryOp::Abs if a.ty.is_signed_int() => const_of_i64(value.wrapping_abs(), a.ty),
        UnaryOp::Abs => a,
        UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => return None,
    })
}

fn fold_binary(op: BinaryOp, a: Const, b: Const) -> Option<Const> {
    if a.ty.is_float() {
        return None;
    }
    let (x, y) = (const_as_i64(a), const_as_i64(b));
    let signed = a.ty.is_signed_int();
    let shift = (b.bits % u64::from(a.ty.bits().max(1))) as u32;
    let value = match op {
        BinaryOp::Add => x.wrapping_add(y),
        BinaryOp::Sub => x.wrapping_sub(y),
        BinaryOp::Mul => x.wrapping_mul(y),
        BinaryOp::Div if b.bits == 0 => return None,
        BinaryOp::Rem if b.bits == 0 => return None,
        BinaryOp::Div if signed => x.wrapping_div(y),
        BinaryOp::Rem if signed => x.wrapping_rem(y),
        BinaryOp::Div => (a.bits / b.bits) as i64,
        BinaryOp::Rem => (a.bits % b.bits) as i64,
        BinaryOp::Min if signed => x.min(y),
        BinaryOp::Max if signed => x.max(y),
        BinaryOp::Min => a.bits.min(b.bits) as i64,
        BinaryOp::Max => a.bits.max(b.bits) as i64,
        BinaryOp::And => x & y,
        BinaryOp::Or => x | y,
        BinaryOp::Xor => x ^ y,
        BinaryOp::Shl => x.wrapping_shl(shift),
        BinaryOp::Shr if signed => x.wrapping_shr(shift),
        BinaryOp::Shr => (a.bits >> shift) as i64,
        BinaryOp::AddSat => x.saturating_add(y),
        BinaryOp::SubSat => x.saturating_sub(y),
        BinaryOp::MulSat => x.saturating_mul(y),
        BinaryOp::RotateLeft | BinaryOp::MulHi | BinaryOp::CopySign => return None,
    };
    Some(const_of_i64(value, a.ty))
}

fn fold_compare(op: CompareOp, a: Const, b: Const) -> Option<Const> {
    if a.ty.is_float() {
        return None;
    }
    let order =
        if a.ty.is_signed_int() { const_as_i64(a).cmp(&const_as_i64(b)) } else { a.bits.cmp(&b.bits) };
    let holds = match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    };
    Some(Const { ty: Scalar::Bool, bits: u64::from(holds) })
}

fn fold_convert(value: Const, to: Scalar) -> Option<Const> {
    if value.ty.is_float() || to.is_float() {
        return None;
    }
    if to == Scalar::Bool {
        return Some(Const { ty: to, bits: u64::from(value.bits != 0) });
    }
    Some(const_of_i64(const_as_i64(value), to))
}

/// A trait's function on constants, by name.
pub fn fold_named(name: &str, args: &[Const]) -> Option<Const> {
    let compare = match name {
        "eq" => Some(CompareOp::Eq),
        "ne" => Some(CompareOp::Ne),
        "lt" => Some(CompareOp::Lt),
        "le" => Some(CompareOp::Le),
        "gt" => Some(CompareOp::Gt),
        "ge" => Some(CompareOp::Ge),
        _ => None,
    };
    let binary = match name {
        "add" => Some(BinaryOp::Add),
        "sub" => Some(BinaryOp::Sub),
        "mul" => Some(BinaryOp::Mul),
        "div" => Some(BinaryOp::Div),
        "rem" => Some(BinaryOp::Rem),
        "min" => Some(BinaryOp::Min),
        "max" => Some(BinaryOp::Max),
        "and" => Some(BinaryOp::And),
        "or" => Some(BinaryOp::Or),
        "xor" => Some(BinaryOp::Xor),
        "shl" => Some(BinaryOp::Shl),
        "shr" => Some(BinaryOp::Shr),
        _ => None,
    };
    match args {
        [a] if name == "neg" => fold_unary(UnaryOp::Neg, *a),
        [a] if name == "not" => fold_unary(UnaryOp::Not, *a),
        [a, b] => match (compare, binary) {
            (Some(op), _) => fold_compare(op, *a, *b),
            (_, Some(op)) => fold_binary(op, *a, *b),
            _ => None,
        },
        _ => None,
    }
}
