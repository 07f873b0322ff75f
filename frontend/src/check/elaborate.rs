//! Types as written into `Type`. Who asks (a signature, a body) says through `TypeEnv` what names of
//! types, sizes and constants mean there.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, BinOp, ExprKind, GenericArg, TypeKind};

use super::defs::*;
use super::session::Checker;
use super::suggest::closest;
use crate::codes;
use crate::typed::{ConstArg, RecordType, Size, Type};

/// What names mean where a type is written.
pub trait TypeEnv<'a, 's> {
    /// The tables.
    fn checker(&mut self) -> &mut Checker<'a, 's>;
    /// The module whose names are visible.
    fn module(&self) -> ModuleId;
    /// A type parameter, or `Self`.
    fn type_param(&mut self, name: &str) -> Option<Type>;
    /// Every type parameter's name, for suggestions.
    fn type_param_names(&self) -> Vec<String>;
    /// A size expression.
    fn size(&mut self, expr: &'a ast::Expr) -> Option<Size>;
    /// A path as a size.
    fn size_path(&mut self, path: &'a ast::Path) -> Option<Size>;
    /// `?k`.
    fn fresh(&mut self, name: &ast::Name, span: Span) -> Option<Size>;
    /// `?`.
    fn open(&mut self, span: Span) -> Option<Size>;
    /// An argument for a const parameter of this type.
    fn const_arg(&mut self, expr: &'a ast::Expr, ty: Scalar) -> Option<ConstArg>;
    /// A path as an argument for a const parameter of this type.
    fn const_arg_path(&mut self, path: &'a ast::Path, ty: Scalar) -> Option<ConstArg>;
}

/// A type as written; `Type::Error` after a report.
pub fn elaborate<'a, 's>(env: &mut dyn TypeEnv<'a, 's>, ty: &'a ast::Type) -> Type {
    match &ty.kind {
        TypeKind::Error => Type::Error,
        TypeKind::Path(path) => path_type(env, &path.segments, path.span),
        TypeKind::Tuple(parts) => {
            let parts: Vec<Type> = parts.iter().map(|part| elaborate(env, part)).collect();
            if parts.contains(&Type::Error) { Type::Error } else { Type::Tuple(parts) }
        }
        TypeKind::Array { elem, sizes } => array_type(env, elem, sizes),
        TypeKind::Fn { .. } => {
            env.checker().report(
                Diagnostic::error(codes::BAD_TYPE, ty.span, "a function type cannot stand here").with_note(
                    "functions are parameters or `let`s; they are not stored, returned or put into arrays",
                ),
            );
            Type::Error
        }
    }
}

fn array_type<'a, 's>(env: &mut dyn TypeEnv<'a, 's>, elem: &'a ast::Type, sizes: &'a [ast::Size]) -> Type {
    let elem_ty = elaborate(env, elem);
    if matches!(elem_ty, Type::Array { .. }) {
        env.checker().report(
            Diagnostic::error(codes::BAD_TYPE, elem.span, "an array's elements cannot be arrays")
                .with_note("write all axes in one pair of brackets: `f32[n, m]`"),
        );
        return Type::Error;
    }
    let sizes: Vec<Option<Size>> = sizes.iter().map(|size| one_size(env, size)).collect();
    let sizes: Option<Vec<Size>> = sizes.into_iter().collect();
    match sizes {
        Some(sizes) if elem_ty != Type::Error => elem_ty.with_axes(sizes),
        _ => Type::Error,
    }
}

fn one_size<'a, 's>(env: &mut dyn TypeEnv<'a, 's>, size: &'a ast::Size) -> Option<Size> {
    match size {
        ast::Size::Expr(expr) => env.size(expr),
        ast::Size::Fresh { name, span } => env.fresh(name, *span),
        ast::Size::Open(span) => env.open(*span),
    }
}

/// The type a path names.
pub fn path_type<'a, 's>(
    env: &mut dyn TypeEnv<'a, 's>,
    segments: &'a [ast::PathSegment],
    span: Span,
) -> Type {
    if let [only] = segments
        && only.args.is_none()
    {
        let name = &only.name;
        if let Some(ty) = env.type_param(&name.text) {
            return ty;
        }
        if let Some(scalar) = Scalar::from_name(&name.text) {
            return Type::Scalar(scalar);
        }
    }
    let module = env.module();
    let names: Vec<&ast::Name> = segments.iter().map(|segment| &segment.name).collect();
    let Some(def) = env.checker().find_item(module, &names) else {
        unknown_type(env, segments, span);
        return Type::Error;
    };
    let args = segments.last().and_then(|segment| segment.args.as_deref()).unwrap_or(&[]);
    match def {
        Def::Struct(id) => record_type(env, id, args, span),
        Def::Alias(id) => alias_type(env, id, args, span),
        Def::Module(_) | Def::Fn(_) | Def::Trait(_) | Def::Const(_) => {
            let text = segments.last().map_or("", |segment| segment.name.text.as_str());
            let error = Diagnostic::error(
                codes::WRONG_KIND_OF_NAME,
                span,
                format!("`{text}` is {}, not a type", def.describe()),
            );
            let error = match def {
                Def::Trait(_) => error.with_note(format!("write `<T: {text}>` and use `T`")),
                Def::Module(_) | Def::Fn(_) | Def::Const(_) | Def::Struct(_) | Def::Alias(_) => error,
            };
            env.checker().report(error);
            Type::Error
        }
    }
}

fn unknown_type<'a, 's>(env: &mut dyn TypeEnv<'a, 's>, segments: &[ast::PathSegment], span: Span) {
    let Some(last) = segments.last() else { return };
    let name = last.name.text.clone();
    let mut candidates = env.type_param_names();
    candidates.extend(Scalar::ALL.iter().map(|scalar| scalar.name().to_owned()));
    let module = env.module();
    candidates
        .extend(env.checker().visible_names(module, &|def| matches!(def, Def::Struct(_) | Def::Alias(_))));
    let foreign = match name.as_str() {
        "float" | "float32" | "f" | "single" => Some("f32"),
        "double" | "float64" => Some("f64"),
        "half" | "float16" => Some("f16"),
        "bfloat16" => Some("bf16"),
        "int" | "int64" | "isize" | "long" => Some("i64"),
        "int32" => Some("i32"),
        "usize" | "uint64" => Some("u64"),
        "uint8" | "byte" => Some("u8"),
        "Bool" | "boolean" => Some("bool"),
        _ => None,
    };
    let close = foreign.or_else(|| closest(&name, candidates.iter().map(String::as_str)));
    let mut error = Diagnostic::error(codes::UNKNOWN_TYPE, span, format!("there is no type `{name}`"));
    if matches!(
        name.as_str(),
        "Vec" | "List" | "list" | "array" | "Array" | "ndarray" | "Tensor" | "Matrix" | "vector"
    ) {
        error = error.with_note(
            "arrays are written `f64[n]`, `f64[n, m]`: the element type, and a size for each axis",
        );
    } else if let Some(close) = close {
        error = error.with_fix(format!("did you mean `{close}`?"), last.name.span, close);
    }
    env.checker().report(error);
}

/// Arguments of a record or alias, sorted by what the parameters are.
struct Args {
    types: Vec<Type>,
    consts: Vec<ConstArg>,
    sizes: Vec<Size>,
}

fn generic_args<'a, 's>(
    env: &mut dyn TypeEnv<'a, 's>,
    params: &'a ast::Generics,
    generics: &Generics,
    args: &'a [GenericArg],
    span: Span,
    what: &str,
) -> Option<Args> {
    if params.params.len() != args.len() {
        let expected = params.params.len();
        let message = format!(
            "{what} takes {expected} generic argument{}, {} given",
            if expected == 1 { "" } else { "s" },
            args.len()
        );
        let names: Vec<&str> = params.params.iter().map(|param| param.name.text.as_str()).collect();
        env.checker().report(
            Diagnostic::error(codes::GENERIC_ARGUMENTS, span, message)
                .with_label(params.span, format!("declared with `<{}>`", names.join(", "))),
        );
        return None;
    }
    let mut out = Args { types: vec![], consts: vec![], sizes: vec![] };
    let mut ok = true;
    for (param, arg) in params.params.iter().zip(args) {
        match &param.kind {
            ast::GenericParamKind::Type { .. } => {
                let ty = match arg {
                    GenericArg::Path(path) => path_type(env, &path.segments, path.span),
                    GenericArg::Type(ty) => elaborate(env, ty),
                    GenericArg::Size(size) => {
                        wrong_arg(env, size.span(), "a type");
                        Type::Error
                    }
                };
                if matches!(ty, Type::Array { .. }) {
                    wrong_arg(env, arg.span(), "an element type, not an array");
                    ok = false;
                }
                ok &= ty != Type::Error;
                out.types.push(ty);
            }
            ast::GenericParamKind::Size => {
                let size = match arg {
                    GenericArg::Path(path) => env.size_path(path),
                    GenericArg::Size(size) => one_size(env, size),
                    GenericArg::Type(ty) => {
                        wrong_arg(env, ty.span, "a size");
                        None
                    }
                };
                ok &= size.is_some();
                out.sizes.push(size.unwrap_or_default());
            }
            ast::GenericParamKind::Const { .. } => {
                let ty = generics.consts.get(out.consts.len()).map_or(Scalar::I64, |c| c.ty);
                let value = match arg {
                    GenericArg::Path(path) => env.const_arg_path(path, ty),
                    GenericArg::Size(ast::Size::Expr(expr)) => env.const_arg(expr, ty),
                    GenericArg::Size(size) => {
                        wrong_arg(env, size.span(), "a constant");
                        None
                    }
                    GenericArg::Type(ty) => {
                        wrong_arg(env, ty.span, "a constant");
                        None
                    }
                };
                match value {
                    Some(value) => out.consts.push(value),
                    None => ok = false,
                }
            }
        }
    }
    ok.then_some(out)
}

fn wrong_arg<'a, 's>(env: &mut dyn TypeEnv<'a, 's>, span: Span, wanted: &str) {
    env.checker().report(Diagnostic::error(
        codes::GENERIC_ARGUMENTS,
        span,
        format!("expected {wanted} here"),
    ));
}

fn record_type<'a, 's>(
    env: &mut dyn TypeEnv<'a, 's>,
    id: crate::typed::RecordId,
    args: &'a [GenericArg],
    span: Span,
) -> Type {
    let def = env.checker().defs.structs[id.0 as usize].ast;
    let generics = env.checker().struct_generics(id);
    let what = format!("`{}`", def.name.text);
    match generic_args(env, &def.generics, &generics, args, span, &what) {
        Some(args) => {
            Type::Record(RecordType { def: id, types: args.types, consts: args.consts, sizes: args.sizes })
        }
        None => Type::Error,
    }
}

fn alias_type<'a, 's>(
    env: &mut dyn TypeEnv<'a, 's>,
    id: AliasId,
    args: &'a [GenericArg],
    span: Span,
) -> Type {
    let def = env.checker().defs.aliases[id.index()].ast;
    let Some(alias) = env.checker().alias_template(id) else { return Type::Error };
    let (generics, template) = &*alias;
    let what = format!("`{}`", def.name.text);
    let Some(args) = generic_args(env, &def.generics, generics, args, span, &what) else {
        return Type::Error;
    };
    // The same substitution as for the fields of a record.
    let ty = template.subst(&RecordType {
        def: crate::typed::RecordId(u32::MAX),
        types: args.types,
        consts: args.consts,
        sizes: args.sizes,
    });
    if env.checker().check_fits(&ty, span) { ty } else { Type::Error }
}

/// Reads a size expression made of literals, names, `+ - *`, `/` by a literal, `min`, `max`, with
/// `leaf` for everything else. `None`: `leaf` gave up (and reported).
pub fn read_size<'a>(
    expr: &'a ast::Expr,
    leaf: &mut dyn FnMut(&'a ast::Expr) -> Option<Size>,
) -> Option<Size> {
    match &expr.kind {
        ExprKind::Int(literal) if literal.suffix.as_ref().is_none_or(|s| s.text == "i64") => {
            match i64::try_from(literal.value) {
                Ok(value) => Some(Size::constant(value)),
                Err(_) => leaf(expr),
            }
        }
        ExprKind::Paren(inner) => read_size(inner, leaf),
        ExprKind::Unary { op: ast::UnOp::Neg, operand, .. } => Some(read_size(operand, leaf)?.scaled(-1)),
        ExprKind::Binary { op, lhs, rhs, .. } => match op {
            BinOp::Add => Some(read_size(lhs, leaf)?.plus(&read_size(rhs, leaf)?)),
            BinOp::Sub => Some(read_size(lhs, leaf)?.minus(&read_size(rhs, leaf)?)),
            BinOp::Mul => {
                let product = read_size(lhs, leaf)?.times(&read_size(rhs, leaf)?);
                if product.is_small() { Some(product) } else { leaf(expr) }
            }
            BinOp::Div => match read_size(rhs, &mut |_| None).and_then(|size| size.as_constant()) {
                Some(divisor) if divisor > 0 => Some(read_size(lhs, leaf)?.floor_div(divisor)),
                _ => leaf(expr),
            },
            BinOp::Or
            | BinOp::And
            | BinOp::Eq
            | BinOp::Ne
            | BinOp::Lt
            | BinOp::Le
            | BinOp::Gt
            | BinOp::Ge
            | BinOp::BitOr
            | BinOp::BitXor
            | BinOp::BitAnd
            | BinOp::Shl
            | BinOp::Shr
            | BinOp::Rem
            | BinOp::MatMul => leaf(expr),
        },
        ExprKind::Call { callee, args, clause: None } => {
            let name = callee.as_name().map(|name| name.text.as_str());
            match (name, args.as_slice()) {
                (Some("min"), [a, b]) if a.name.is_none() && b.name.is_none() => {
                    Some(read_size(&a.value, leaf)?.min_with(&read_size(&b.value, leaf)?))
                }
                (Some("max"), [a, b]) if a.name.is_none() && b.name.is_none() => {
                    Some(read_size(&a.value, leaf)?.max_with(&read_size(&b.value, leaf)?))
                }
                _ => leaf(expr),
            }
        }
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Bool(_)
        | ExprKind::Str(_)
        | ExprKind::Path(_)
        | ExprKind::Operator(_)
        | ExprKind::Unary { .. }
        | ExprKind::Cast { .. }
        | ExprKind::Call { .. }
        | ExprKind::Field { .. }
        | ExprKind::Index { .. }
        | ExprKind::Tuple(_)
        | ExprKind::Array(_)
        | ExprKind::Comprehension { .. }
        | ExprKind::Record { .. }
        | ExprKind::If { .. }
        | ExprKind::Block(_)
        | ExprKind::Lambda { .. }
        | ExprKind::Precompute(_)
        | ExprKind::Error => leaf(expr),
    }
}
