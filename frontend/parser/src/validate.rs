//! What the grammar lets through and the language does not: strings that are values, chains of
//! comparisons, parameters without types, items without bodies, results thrown away.

use crate::ast::*;
use crate::messages;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;

/// Complaints about a module that parsed.
pub(crate) fn validate(source: &str, module: &Module) -> Vec<Diagnostic> {
    let mut pass = Pass { source, found: vec![] };
    module.items.iter().for_each(|item| pass.item(item));
    pass.found
}

/// Where a function stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Module,
    Trait,
    TraitImpl,
    OwnImpl,
}

struct Pass<'s> {
    source: &'s str,
    found: Vec<Diagnostic>,
}

impl Pass<'_> {
    fn item(&mut self, item: &Item) {
        self.attrs(&item.attrs);
        let never_public = match &item.kind {
            ItemKind::Impl(_) => Some("an `impl`"),
            ItemKind::Test(_) => Some("a test"),
            ItemKind::Bench(_) => Some("a benchmark"),
            ItemKind::Use(_)
            | ItemKind::Const(_)
            | ItemKind::TypeAlias(_)
            | ItemKind::Struct(_)
            | ItemKind::Trait(_)
            | ItemKind::Fn(_)
            | ItemKind::Error => None,
        };
        if let (Some(span), Some(what)) = (item.is_pub, never_public) {
            self.found.push(messages::misplaced_pub(span, what));
        }
        match &item.kind {
            ItemKind::Use(_) | ItemKind::Error => {}
            ItemKind::Const(constant) => self.constant(constant, item.span, Home::Module),
            ItemKind::TypeAlias(alias) => self.ty(&alias.ty),
            ItemKind::Struct(record) => record.fields.iter().for_each(|field| {
                self.attrs(&field.attrs);
                self.ty(&field.ty);
            }),
            ItemKind::Trait(item) => self.assoc_items(&item.items, Home::Trait),
            ItemKind::Impl(item) => {
                self.ty(&item.ty);
                let home = if item.of_trait.is_some() { Home::TraitImpl } else { Home::OwnImpl };
                self.assoc_items(&item.items, home);
            }
            ItemKind::Fn(function) => self.function(function, Home::Module),
            ItemKind::Test(TestItem { name: _, inputs, body })
            | ItemKind::Bench(BenchItem { name: _, inputs, body }) => {
                for input in inputs {
                    match &input.kind {
                        TestInputKind::Typed(ty) => self.ty(ty),
                        TestInputKind::In(source) => source.each_child(&mut |child| self.child(child)),
                    }
                }
                self.block(body);
            }
        }
    }

    fn assoc_items(&mut self, items: &[AssocItem], home: Home) {
        for item in items {
            self.attrs(&item.attrs);
            match &item.kind {
                AssocKind::Const(constant) => self.constant(constant, item.span, home),
                AssocKind::Fn(function) => self.function(function, home),
                AssocKind::Error => {}
            }
            if let (Some(span), Home::Trait | Home::TraitImpl) = (item.is_pub, home) {
                self.found.push(messages::misplaced_pub(span, "an item of a trait"));
            }
        }
    }

    fn constant(&mut self, constant: &ConstItem, span: Span, home: Home) {
        let name = &constant.name;
        if constant.ty.is_none() && home != Home::TraitImpl {
            let message = format!("the type of the constant `{}` is missing", name.text);
            self.found.push(messages::incomplete_item(name.span, message).with_fix(
                "write its type",
                name.span.end(),
                ": f32",
            ));
        }
        if constant.value.is_none() && home != Home::Trait {
            let message = format!("the constant `{}` has no value", name.text);
            self.found.push(messages::incomplete_item(span, message));
        }
        constant.ty.iter().for_each(|ty| self.ty(ty));
        constant.value.iter().for_each(|value| self.expr(value));
    }

    fn function(&mut self, function: &FnItem, home: Home) {
        for (index, param) in function.params.iter().enumerate() {
            // `self` in front has the type `Self`.
            let receiver = index == 0 && home != Home::Module && param.name.text == "self";
            if param.ty.is_none() && home != Home::TraitImpl && !receiver {
                self.found.push(messages::parameter_without_type(param.name.span, &param.name.text));
            }
            param.ty.iter().for_each(|ty| self.ty(ty));
            param.default.iter().for_each(|value| self.expr(value));
        }
        function.result.iter().for_each(|ty| self.ty(ty));
        match &function.body {
            None if home != Home::Trait => {
                let message = format!("the function `{}` has no body", function.name.text);
                self.found.push(messages::incomplete_item(function.signature, message));
            }
            None => {}
            Some(FnBody::Expr(body)) => {
                self.expr(body);
                if let (ExprKind::Block(block), Some(result)) = (&body.kind, &function.result) {
                    self.result_kept(block, result);
                }
            }
            Some(FnBody::Block(block)) => {
                self.block(block);
                function.result.iter().for_each(|result| self.result_kept(block, result));
            }
        }
    }

    /// A block that should have a value and ends in `e;`.
    fn result_kept(&mut self, block: &Block, result: &Type) {
        let unit = matches!(&result.kind, TypeKind::Tuple(parts) if parts.is_empty());
        let Some(Stmt { kind: StmtKind::Expr(last), span, .. }) = block.stmts.last() else { return };
        let semicolon = Span::new(span.file, span.hi.saturating_sub(1), span.hi);
        let written = self.source.get(semicolon.range()) == Some(";");
        if block.value.is_none() && !unit && written && last.span.hi < span.hi {
            self.found.push(messages::result_discarded(semicolon, result.span));
        }
    }

    fn attrs(&mut self, attrs: &[Attr]) {
        for arg in attrs.iter().flat_map(|attr| &attr.args) {
            self.attr_value(&arg.value);
        }
    }

    /// In attributes strings may stand, also inside calls such as `tile(i = "…")`.
    fn attr_value(&mut self, value: &Expr) {
        match &value.kind {
            ExprKind::Str(_) => {}
            ExprKind::Call { args, .. } => args.iter().for_each(|arg| self.attr_value(&arg.value)),
            _ => self.expr(value),
        }
    }

    fn child(&mut self, child: Child<'_>) {
        match child {
            Child::Expr(expr) => self.expr(expr),
            Child::Type(ty) => self.ty(ty),
            Child::Path(path) => path.each_child(&mut |child| self.child(child)),
            Child::Block(block) => self.block(block),
        }
    }

    fn ty(&mut self, ty: &Type) {
        ty.each_child(&mut |child| self.child(child));
    }

    fn block(&mut self, block: &Block) {
        self.attrs(&block.attrs);
        for stmt in &block.stmts {
            self.attrs(&stmt.attrs);
            stmt.each_child_after_attrs(&mut |child| self.child(child));
        }
        block.value.iter().for_each(|value| self.expr(value));
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Str(string) => self.found.push(messages::misplaced_string(string.span)),
            ExprKind::Comprehension { attrs, body, clause } => {
                self.attrs(attrs);
                self.expr(body);
                clause.each_child(&mut |child| self.child(child));
                return;
            }
            ExprKind::Binary { op, .. } if is_comparison(*op) => return self.comparisons(expr),
            _ => {}
        }
        expr.each_child(&mut |child| self.child(child));
    }

    /// A comparison, perhaps a chain of them.
    fn comparisons(&mut self, expr: &Expr) {
        let mut links = vec![];
        let mut first = expr;
        while let ExprKind::Binary { op, op_span, lhs, rhs } = &first.kind
            && is_comparison(*op)
        {
            links.push(Link { op: *op, op_span: *op_span, lhs, rhs });
            first = lhs;
        }
        links.reverse();
        self.expr(first);
        links.iter().for_each(|link| self.expr(link.rhs));
        let generic: Vec<_> =
            links.windows(2).filter(|pair| self.looks_generic(&pair[0], &pair[1])).collect();
        if let [[one, two], ..] = links.windows(2).collect::<Vec<_>>()[..]
            && generic.is_empty()
        {
            let text = self.source.get(one.rhs.span.range()).unwrap_or("");
            self.found.push(messages::chained_comparison(two.lhs, one.rhs, text, two.op_span));
        }
        self.found.extend(generic.iter().map(|pair| messages::generic_args_in_expression(pair[0].op_span)));
    }

    /// `f<T>(…)` is read as `(f < T) > (…)`.
    fn looks_generic(&self, one: &Link<'_>, two: &Link<'_>) -> bool {
        let called = self.source.get(two.rhs.span.range()).is_some_and(|text| text.starts_with('('));
        let mut callee = one.lhs;
        while let ExprKind::Binary { rhs, .. } = &callee.kind {
            callee = rhs;
        }
        (one.op, two.op) == (BinOp::Lt, BinOp::Gt) && called && matches!(callee.kind, ExprKind::Path(_))
    }
}

/// One comparison of a chain.
struct Link<'e> {
    op: BinOp,
    op_span: Span,
    lhs: &'e Expr,
    rhs: &'e Expr,
}

fn is_comparison(op: BinOp) -> bool {
    matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge)
}
