//! Records and tuples: literals, fields, `derive(Vector)`.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, BinOp};

use super::coerce::Wanted;
use super::{Body, VarKind};
use crate::check::defs::Def;
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Atom, Expr, ExprKind, Field, RecordType, Size, Type};

impl<'a> Body<'_, 'a, '_> {
    /// The fields of a record type.
    pub fn fields(&mut self, record: &RecordType) -> Vec<Field> {
        let info = self.cx.struct_info(record.def);
        info.fields
            .iter()
            .map(|field| Field { name: field.name.clone(), ty: field.ty.subst(record) })
            .collect()
    }

    /// `S { f: e, ..old }`.
    pub fn record_literal(
        &mut self,
        path: &'a ast::Path,
        inits: &'a [ast::FieldInit],
        base: Option<&'a ast::Expr>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let Some((template, sizes)) = self.record_type_of_literal(path, hint) else {
            for init in inits {
                self.expr(&init.value, None);
            }
            return self.error(span);
        };
        let fields = self.cx.struct_info(template.def).fields.clone();
        let mut pre = Vec::new();
        let base = base.map(|base| {
            let hint = Type::Record(template.clone());
            let value = self.expr(base, Some(&hint));
            self.hoist(&mut pre, value, "old")
        });
        let mut record = template;
        let mut bound = sizes;
        if let Some(base) = &base {
            let mut pairs = Vec::new();
            if self.unify(&Type::Record(record.clone()), &base.ty, &mut pairs).is_err() {
                let (want, have) = (Type::Record(record.clone()), base.ty.clone());
                self.mismatch(
                    super::infer::Mismatch::Types,
                    &want,
                    &have,
                    base.span,
                    Wanted { span: None, what: "the record" },
                );
                return self.error(span);
            }
            if let Type::Record(have) = self.shallow(&base.ty) {
                for (slot, have) in bound.iter_mut().zip(&have.sizes) {
                    slot.get_or_insert_with(|| have.clone());
                }
            }
        }
        let mut values: Vec<Option<Expr>> = vec![None; fields.len()];
        for init in inits {
            let Some(index) = fields.iter().position(|field| field.name == init.name.text) else {
                self.unknown_field(record.def, &fields, &init.name);
                continue;
            };
            if values[index].is_some() {
                self.cx.report(Diagnostic::error(
                    codes::DUPLICATE_ARGUMENT,
                    init.span,
                    format!("the field `{}` is given twice", init.name.text),
                ));
            }
            let want = fields[index].ty.subst(&record);
            let value = self.expr(&init.value, Some(&want));
            self.bind_record_sizes(&fields[index].ty, &value.ty, &mut bound);
            let value = self.hoist(&mut pre, value, &init.name.text);
            values[index] = Some(value);
        }
        let have: Vec<(Type, Type)> = fields
            .iter()
            .zip(&values)
            .filter_map(|(field, value)| Some((field.ty.clone(), value.as_ref()?.ty.clone())))
            .collect();
        self.solve_record_sizes(&have, &mut bound);
        self.fill_record_sizes(&mut record, bound, path.span);
        let mut missing = Vec::new();
        let mut parts = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let want = field.ty.subst(&record);
            match (values[index].take(), &base) {
                (Some(value), _) => {
                    let what = format!("the field `{}`", field.name);
                    parts.push(self.coerce(value, &want, Wanted { span: None, what: &what }));
                }
                (None, Some(base)) => parts.push(self.field_of(base.clone(), index as u32, want, span)),
                (None, None) => missing.push(field.name.clone()),
            }
        }
        if !missing.is_empty() {
            let list: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
            self.cx.report(Diagnostic::error(
                codes::MISSING_VALUE,
                path.span,
                format!("the record lacks {}", list.join(", ")),
            ));
            return self.error(span);
        }
        let ty = Type::Record(record);
        if parts.iter().any(|part| part.ty == Type::Error) || !self.value_fits(&ty, span) {
            return self.error(span);
        }
        let value = Expr { kind: ExprKind::Tuple(parts), ty, span };
        self.wrap(pre, value)
    }

    /// Whether a value of this type can be compiled; if not, that is the fault of the function around it where
    /// it calls itself.
    pub fn value_fits(&mut self, ty: &Type, span: Span) -> bool {
        if self.cx.fits(ty) {
            return true;
        }
        if !self.cx.stop_recursion(self.origin, span) {
            self.cx.check_fits(ty, span);
        }
        false
    }

    /// A record from the values of its fields, its sizes taken from them and checked.
    pub fn record_of(&mut self, template: &RecordType, values: Vec<Expr>, span: Span) -> Expr {
        let fields = self.cx.struct_info(template.def).fields.clone();
        let mut bound: Vec<Option<Size>> = vec![None; template.sizes.len()];
        for (field, value) in fields.iter().zip(&values) {
            self.bind_record_sizes(&field.ty, &value.ty, &mut bound);
        }
        let have: Vec<(Type, Type)> =
            fields.iter().zip(&values).map(|(field, value)| (field.ty.clone(), value.ty.clone())).collect();
        self.solve_record_sizes(&have, &mut bound);
        let mut record = template.clone();
        self.fill_record_sizes(&mut record, bound, span);
        let parts = fields
            .iter()
            .zip(values)
            .map(|(field, value)| {
                let want = field.ty.subst(&record);
                let what = format!("the field `{}`", field.name);
                self.coerce(value, &want, Wanted { span: None, what: &what })
            })
            .collect();
        Expr { kind: ExprKind::Tuple(parts), ty: Type::Record(record), span }
    }

    /// The record type a literal makes, arguments open where they are not written; and the sizes that are written.
    fn record_type_of_literal(
        &mut self,
        path: &'a ast::Path,
        hint: Option<&Type>,
    ) -> Option<(RecordType, Vec<Option<Size>>)> {
        let open = |record: RecordType| {
            let sizes = vec![None; record.sizes.len()];
            (record, sizes)
        };
        let written =
            |record: &RecordType| (record.clone(), record.sizes.iter().cloned().map(Some).collect());
        if path.as_name().is_some_and(|name| name.text == "Self") {
            return match self.self_ty.clone() {
                Some(Type::Record(record)) => Some(open(record)),
                _ => None,
            };
        }
        if path.segments.iter().any(|segment| segment.args.is_some()) {
            return self.type_of_path(&path.segments, path.span).as_record().map(written);
        }
        let names: Vec<&ast::Name> = path.segments.iter().map(|segment| &segment.name).collect();
        let id = match self.cx.find_item(self.module, &names) {
            Some(Def::Struct(id)) => id,
            Some(Def::Alias(_)) => {
                return self.type_of_path(&path.segments, path.span).as_record().map(written);
            }
            Some(def) => {
                let text = self.cx.text(path.span);
                self.cx.report(Diagnostic::error(
                    codes::WRONG_KIND_OF_NAME,
                    path.span,
                    format!("`{text}` is {}, not a record type", def.describe()),
                ));
                return None;
            }
            None => {
                let text = self.cx.text(path.span);
                let names = self.cx.visible_names(self.module, &|def| matches!(def, Def::Struct(_)));
                let mut error = Diagnostic::error(
                    codes::UNKNOWN_TYPE,
                    path.span,
                    format!("there is no record type `{text}`"),
                );
                if let Some(close) = closest(&text, names.iter().map(String::as_str)) {
                    error = error.with_fix(format!("did you mean `{close}`?"), path.span, close);
                }
                self.cx.report(error);
                return None;
            }
        };
        let info = self.cx.struct_info(id);
        let hinted = match hint.map(|hint| self.shallow(hint)) {
            Some(Type::Record(record)) if record.def == id => Some(record),
            _ => match self.self_ty.clone() {
                Some(Type::Record(record)) if record.def == id => Some(record),
                _ => None,
            },
        };
        let types = (0..info.generics.types.len()).map(|_| self.new_var(VarKind::Any, path.span)).collect();
        let consts = match (&hinted, info.generics.consts.len()) {
            (_, 0) => Vec::new(),
            (Some(record), _) => record.consts.clone(),
            (None, _) => {
                let name = &self.cx.defs.structs[id.0 as usize].ast.name.text;
                let message = format!("the const argument of `{name}` is not known here");
                self.cx.report(
                    Diagnostic::error(codes::CANNOT_INFER, path.span, message)
                        .with_note(format!("write it: `{name}::<…> {{ … }}`")),
                );
                return None;
            }
        };
        let sizes =
            (0..info.generics.sizes.len()).map(|index| Size::atom(Atom::Param(index as u32))).collect();
        let record = RecordType { def: id, types, consts, sizes };
        if let Some(hinted) = &hinted {
            for (own, given) in record.types.iter().zip(&hinted.types) {
                self.unify_elem(own, given);
            }
        }
        Some(open(record))
    }

    /// Size parameters of a record from the type of a field's value.
    fn bind_record_sizes(&mut self, template: &Type, have: &Type, bound: &mut [Option<Size>]) {
        let have = self.shallow(have);
        for (want, have) in template.sizes().iter().zip(have.sizes()) {
            if let Some(Atom::Param(index)) = want.as_atom()
                && let Some(slot) = bound.get_mut(*index as usize)
                && slot.is_none()
            {
                *slot = Some(have.clone());
            }
        }
        if let (Type::Record(template), Type::Record(have)) = (template, &have) {
            for (want, have) in template.sizes.iter().zip(&have.sizes) {
                if let Some(Atom::Param(index)) = want.as_atom()
                    && let Some(slot) = bound.get_mut(*index as usize)
                    && slot.is_none()
                {
                    *slot = Some(have.clone());
                }
            }
        }
    }

    /// Sizes that stand in a field's axis as `2 * n + 1` and the like.
    fn solve_record_sizes(&mut self, fields: &[(Type, Type)], bound: &mut [Option<Size>]) {
        for (template, have) in fields {
            let have = self.shallow(have);
            for (want, have) in template.sizes().iter().zip(have.sizes()) {
                let want = want.subst(&|atom| {
                    let Atom::Param(index) = atom else { return None };
                    bound.get(*index as usize).cloned().flatten()
                });
                if let Some((index, coefficient, rest)) = super::solve_sizes::linear(&want)
                    && let Some(size) = have.minus(&rest).exact_div(coefficient)
                    && let Some(slot) = bound.get_mut(index as usize)
                {
                    *slot = Some(size);
                }
            }
        }
    }

    /// Sizes that no field has are open: the first place that asks for one decides it.
    fn fill_record_sizes(&mut self, record: &mut RecordType, bound: Vec<Option<Size>>, span: Span) {
        let info = self.cx.struct_info(record.def);
        for (index, (slot, size)) in record.sizes.iter_mut().zip(bound).enumerate() {
            *slot = match size {
                Some(size) => size,
                None => {
                    let name = info.generics.sizes.get(index).map_or("_", |size| size.name.as_str());
                    self.size_hole(name, span)
                }
            };
        }
    }

    fn unknown_field(&mut self, id: crate::typed::RecordId, fields: &[Field], name: &ast::Name) {
        let def = self.cx.defs.structs[id.0 as usize].ast;
        let mut error = Diagnostic::error(
            codes::UNKNOWN_FIELD,
            name.span,
            format!("`{}` has no field `{}`", def.name.text, name.text),
        )
        .with_label(def.name.span, "declared here");
        if let Some(close) = closest(&name.text, fields.iter().map(|field| field.name.as_str())) {
            error = error.with_fix(format!("did you mean `{close}`?"), name.span, close);
        } else {
            let list: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            error = error.with_note(format!("it has {}", list.join(", ")));
        }
        self.cx.report(error);
    }

    /// `base.field`, also on arrays of records and tuples.
    pub fn field(&mut self, base: Expr, field: &ast::FieldName, span: Span) -> Expr {
        if base.ty == Type::Error {
            return self.error(span);
        }
        let Some((index, ty)) = self.field_index(&base.ty, field, base.span) else {
            return self.error(span);
        };
        self.field_of(base, index, ty, span)
    }

    /// Number and type of a field of a type (without the axes of an array around it).
    pub fn field_index(&mut self, ty: &Type, field: &ast::FieldName, base_span: Span) -> Option<(u32, Type)> {
        let shallow = self.shallow(ty);
        let elem = self.shallow(shallow.elem());
        match (&elem, field) {
            (Type::Tuple(parts), ast::FieldName::Index { index, span }) => {
                if let Some(part) = parts.get(*index as usize) {
                    return Some((*index, part.clone()));
                }
                let message = format!("this tuple has {} parts, numbered from 0", parts.len());
                self.cx.report(Diagnostic::error(codes::UNKNOWN_FIELD, *span, message));
                None
            }
            (Type::Record(record), ast::FieldName::Named(name)) => {
                let fields = self.fields(record);
                if let Some(index) = fields.iter().position(|known| known.name == name.text) {
                    return Some((index as u32, fields[index].ty.clone()));
                }
                self.unknown_field(record.def, &fields, name);
                None
            }
            (Type::Infer(_), _) => {
                self.cx.report(Diagnostic::error(
                    codes::CANNOT_INFER,
                    base_span,
                    "the type of this must be known to take a field of it",
                ));
                None
            }
            _ => {
                self.no_fields(ty, field, base_span);
                None
            }
        }
    }

    /// Part `index` of a record or tuple, or of an array of them.
    pub fn field_of(&mut self, base: Expr, index: u32, part: Type, span: Span) -> Expr {
        let axes = self.shallow(&base.ty).sizes().to_vec();
        let ty = part.with_axes(axes);
        // A part of a tuple that was just made is that part.
        if let ExprKind::Tuple(parts) = &base.kind
            && parts.iter().all(|part| self.is_trivial(part))
            && let Some(part) = parts.get(index as usize)
        {
            return part.clone();
        }
        Expr { kind: ExprKind::Field(Box::new(base), index), ty, span }
    }

    /// Whether the record derives `Vector`.
    pub fn vector_record(&mut self, ty: &Type) -> bool {
        self.shallow(ty).as_record().is_some_and(|record| self.cx.struct_info(record.def).vector)
    }

    /// Field-wise on records of one type.
    pub fn field_wise(
        &mut self,
        args: Vec<Expr>,
        span: Span,
        function: &mut dyn FnMut(&mut Self, Vec<Expr>) -> Expr,
    ) -> Expr {
        let record = args.iter().find_map(|arg| self.shallow(&arg.ty).as_record().cloned());
        let Some(record) = record else {
            return self.error(span);
        };
        let mut pre = Vec::new();
        let args: Vec<Expr> = args.into_iter().map(|arg| self.hoist(&mut pre, arg, "operand")).collect();
        let mut parts = Vec::new();
        for (index, field) in self.fields(&record).into_iter().enumerate() {
            let inner = args
                .iter()
                .map(|arg| {
                    if matches!(self.shallow(&arg.ty), Type::Record(_)) {
                        self.field_of(arg.clone(), index as u32, field.ty.clone(), span)
                    } else {
                        arg.clone()
                    }
                })
                .collect();
            parts.push(function(self, inner));
        }
        if parts.iter().any(|part| part.ty == Type::Error) {
            return self.error(span);
        }
        let value = Expr { kind: ExprKind::Tuple(parts), ty: Type::Record(record), span };
        self.wrap(pre, value)
    }

    /// `+ -` field by field and `*` by a scalar, for records that derive `Vector` (their own `impl`s first).
    pub fn vector_op(&mut self, op: BinOp, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
        let (left, right) = (self.vector_record(&a.ty), self.vector_record(&b.ty));
        let args = vec![a.clone(), b.clone()];
        let same = left && right;
        let defined = if matches!(op, BinOp::Add | BinOp::Sub) {
            same && self.unify_elem(&a.ty, &b.ty)
        } else {
            (op == BinOp::Mul && left != right) || (op == BinOp::Div && left && !right)
        };
        if !defined {
            return None;
        }
        if same && self.record_has(None, super::ops::operator_fn(op), &a.ty) {
            return None;
        }
        let op_span = span;
        Some(self.field_wise(args, span, &mut |body, mut parts| {
            let (b, a) = (parts.pop(), parts.pop());
            match (a, b) {
                (Some(a), Some(b)) => body.binary_values(op, op_span, a, b, span),
                _ => body.error(span),
            }
        }))
    }
}
