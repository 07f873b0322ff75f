//! Signatures of functions, fields of records, headers of `impl`s: types written in parameters.
//! Names in the sizes of parameter types become size parameters here.

use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, ExprKind, GenericParamKind};

use super::defs::*;
use super::elaborate::{TypeEnv, elaborate, read_size};
use super::session::Checker;
use super::suggest::closest;
use crate::codes;
use crate::typed::{Atom, Const, ConstArg, Field, RecordDef, RecordId, Size, Type, const_as_i64};

/// A record's parameters and fields.
#[derive(Debug)]
pub struct StructInfo {
    pub generics: Rc<Generics>,
    pub fields: Vec<Field>,
    pub vector: bool,
}

/// How far a type alias is.
#[derive(Clone, Debug)]
pub enum AliasState {
    Untouched,
    /// Being read: meeting it again is a circle.
    Busy,
    /// Its parameters, and the type written in them.
    Done(Rc<(Generics, Type)>),
    Failed,
}

/// Aliases that stand for aliases that stand for aliases.
const MAX_NESTED_ALIASES: usize = 50;

/// An `impl`'s parameters, trait and type.
#[derive(Debug)]
pub struct ImplInfo {
    pub generics: Rc<Generics>,
    pub of_trait: Option<TraitId>,
    pub self_ty: Type,
}

/// What names mean in a signature.
pub struct SigEnv<'c, 'a, 's> {
    pub checker: &'c mut Checker<'a, 's>,
    pub module: ModuleId,
    pub generics: Generics,
    /// What `Self` is.
    pub self_ty: Option<Type>,
    /// `i64` parameters by name.
    pub value_params: Vec<(String, Span, usize)>,
    /// Unknown names in sizes become size parameters.
    pub binds: bool,
    /// `?k` is allowed and collected.
    pub fresh: Option<Vec<String>>,
    /// What is no polynomial in a result type, with the number of its `?k`.
    pub opaque: Vec<(u32, &'a ast::Expr)>,
}

impl<'a, 's> TypeEnv<'a, 's> for SigEnv<'_, 'a, 's> {
    fn checker(&mut self) -> &mut Checker<'a, 's> {
        self.checker
    }

    fn module(&self) -> ModuleId {
        self.module
    }

    fn type_param(&mut self, name: &str) -> Option<Type> {
        if name == "Self" {
            return self.self_ty.clone();
        }
        let index = self.generics.types.iter().rposition(|param| param.name == name)?;
        Some(Type::Param(index as u32))
    }

    fn type_param_names(&self) -> Vec<String> {
        self.generics.types.iter().map(|param| param.name.clone()).collect()
    }

    fn size(&mut self, expr: &'a ast::Expr) -> Option<Size> {
        read_size(expr, &mut |leaf| self.size_leaf(leaf))
    }

    fn size_path(&mut self, path: &'a ast::Path) -> Option<Size> {
        if let Some(name) = path.as_name()
            && let Some(size) = self.size_name(name)
        {
            return size;
        }
        let value = self.checker.const_path(self.module, path, Scalar::I64)?;
        Some(const_size(value))
    }

    fn fresh(&mut self, name: &ast::Name, span: Span) -> Option<Size> {
        match &mut self.fresh {
            Some(names) => {
                let index = names.iter().position(|known| *known == name.text).unwrap_or_else(|| {
                    names.push(name.text.clone());
                    names.len() - 1
                });
                Some(Size::atom(Atom::Fresh(index as u32)))
            }
            None => {
                let message = format!("`?{}` may stand in a result type only", name.text);
                self.checker.report(Diagnostic::error(codes::BAD_SIZE, span, message).with_fix(
                    format!("write `{}`: parameter types bind names", name.text),
                    span,
                    name.text.clone(),
                ));
                None
            }
        }
    }

    fn open(&mut self, span: Span) -> Option<Size> {
        self.checker.report(
            Diagnostic::error(codes::BAD_SIZE, span, "`?` may stand in the type of a `let mut` only")
                .with_note("in a result write `?k`: a size with a name, known after the call"),
        );
        None
    }

    fn const_arg(&mut self, expr: &'a ast::Expr, ty: Scalar) -> Option<ConstArg> {
        if let ExprKind::Path(path) = &expr.kind {
            return self.const_arg_path(path, ty);
        }
        self.checker.const_expr(self.module, expr, ty).map(ConstArg::Value)
    }

    fn const_arg_path(&mut self, path: &'a ast::Path, ty: Scalar) -> Option<ConstArg> {
        if let Some(name) = path.as_name()
            && let Some(index) = self.generics.consts.iter().rposition(|c| c.name == name.text)
        {
            return Some(ConstArg::Param(index as u32));
        }
        self.checker.const_path(self.module, path, ty).map(ConstArg::Value)
    }
}

impl<'a> SigEnv<'_, 'a, '_> {
    fn size_leaf(&mut self, expr: &'a ast::Expr) -> Option<Size> {
        if let ExprKind::Path(path) = &expr.kind {
            if let Some(name) = path.as_name() {
                if let Some(size) = self.size_name(name) {
                    return size;
                }
            } else if let Some(value) = self.checker.const_path(self.module, path, Scalar::I64) {
                return Some(const_size(value));
            } else {
                return None;
            }
        }
        if let Some(names) = &mut self.fresh {
            let index = names.len() as u32;
            names.push(self.checker.text(expr.span));
            self.opaque.push((index, expr));
            return Some(Size::atom(Atom::Fresh(index)));
        }
        self.checker.report(
            Diagnostic::error(codes::BAD_SIZE, expr.span, "a signature cannot use this as a size").with_note(
                "sizes in signatures are made of names, numbers, `+ - *`, `/` by a number, `min` and `max`",
            ),
        );
        None
    }

    fn size_name(&mut self, name: &ast::Name) -> Option<Option<Size>> {
        if let Some(index) = self.generics.consts.iter().rposition(|c| c.name == name.text) {
            return Some(Some(Size::atom(Atom::Const(index as u32))));
        }
        if let Some(index) = self.generics.sizes.iter().rposition(|s| s.name == name.text) {
            return Some(Some(Size::atom(Atom::Param(index as u32))));
        }
        if let Some((text, span, param)) =
            self.value_params.iter().find(|(text, ..)| *text == name.text).cloned()
        {
            let index = self.generics.sizes.len();
            self.generics.sizes.push(SizeParam { name: text, span, value_param: Some(param) });
            return Some(Some(Size::atom(Atom::Param(index as u32))));
        }
        if let Some(Def::Const(id)) = self.checker.own_name(self.module, &name.text) {
            let value = self.checker.const_value(id, name.span)?;
            return Some(Some(Size::constant(const_as_i64(value))));
        }
        if self.binds {
            let index = self.generics.sizes.len();
            self.generics.sizes.push(SizeParam {
                name: name.text.clone(),
                span: name.span,
                value_param: None,
            });
            return Some(Some(Size::atom(Atom::Param(index as u32))));
        }
        let mut names: Vec<&str> = self.generics.sizes.iter().map(|size| size.name.as_str()).collect();
        names.extend(self.value_params.iter().map(|(name, ..)| name.as_str()));
        let mut error = Diagnostic::error(
            codes::UNBOUND_SIZE,
            name.span,
            format!("the size `{}` is bound by no parameter", name.text),
        );
        if let Some(close) = closest(&name.text, names) {
            error = error.with_fix(format!("did you mean `{close}`?"), name.span, close);
        } else if self.fresh.is_some() {
            error = error.with_fix(
                format!("write `?{}` if it is known only after the call", name.text),
                name.span,
                format!("?{}", name.text),
            );
        }
        self.checker.report(error);
        // Known from here on, so that the body is not blamed too.
        let index = self.generics.sizes.len();
        self.generics.sizes.push(SizeParam { name: name.text.clone(), span: name.span, value_param: None });
        Some(Some(Size::atom(Atom::Param(index as u32))))
    }
}

impl<'a, 's> Checker<'a, 's> {
    /// The parameters of an item, after those of what is around it.
    pub fn generics_of(&mut self, module: ModuleId, outer: &Generics, ast: &'a ast::Generics) -> Generics {
        let mut generics = outer.clone();
        generics.outer = (outer.types.len(), outer.consts.len());
        for param in &ast.params {
            let name = param.name.text.clone();
            let taken = generics.types.iter().map(|p| (&p.name, p.span));
            let taken = taken.chain(generics.consts.iter().map(|p| (&p.name, p.span)));
            let taken = taken.chain(generics.sizes.iter().map(|p| (&p.name, p.span)));
            if let Some(first) = taken.filter(|(known, _)| **known == name).map(|(_, s)| s).next() {
                self.report(
                    Diagnostic::error(
                        codes::DUPLICATE_NAME,
                        param.name.span,
                        format!("`{name}` is declared twice"),
                    )
                    .with_label(first, "first declared here"),
                );
            }
            match &param.kind {
                GenericParamKind::Type { bounds } => {
                    let traits: Vec<TraitId> =
                        bounds.iter().filter_map(|bound| self.trait_path(module, bound)).collect();
                    let doubtful = traits.len() < bounds.len();
                    let bounds = self.with_supers(&traits);
                    generics.types.push(TypeParam { name, span: param.name.span, bounds, doubtful });
                }
                GenericParamKind::Size => {
                    generics.sizes.push(SizeParam { name, span: param.name.span, value_param: None })
                }
                GenericParamKind::Const { ty } => {
                    let mut env = SigEnv {
                        checker: self,
                        module,
                        generics: Generics::default(),
                        self_ty: None,
                        value_params: Vec::new(),
                        binds: false,
                        fresh: None,
                        opaque: Vec::new(),
                    };
                    let ty_span = ty.span;
                    let ty = elaborate(&mut env, ty);
                    let scalar = ty.as_scalar().filter(|s| !s.is_float());
                    if scalar.is_none() && ty != Type::Error {
                        self.report(Diagnostic::error(
                            codes::BAD_TYPE,
                            ty_span,
                            "a const parameter is an integer or `bool`",
                        ));
                    }
                    let ty = scalar.unwrap_or(Scalar::I64);
                    generics.consts.push(ConstParam { name, span: param.name.span, ty });
                }
            }
        }
        generics
    }

    /// A record's parameters.
    pub fn struct_generics(&mut self, id: RecordId) -> Rc<Generics> {
        if let Some(info) = &self.structs[id.0 as usize] {
            return info.generics.clone();
        }
        let def = &self.defs.structs[id.0 as usize];
        let (module, ast) = (def.module, def.ast);
        self.quiet += 1;
        let generics = self.generics_of(module, &Generics::default(), &ast.generics);
        self.quiet -= 1;
        Rc::new(generics)
    }

    /// A record's fields. One that contains itself is reported and has none.
    pub fn struct_info(&mut self, id: RecordId) -> Rc<StructInfo> {
        let index = id.0 as usize;
        if let Some(info) = &self.structs[index] {
            return info.clone();
        }
        let def = &self.defs.structs[index];
        let (module, ast, attrs) = (def.module, def.ast, def.attrs);
        let generics = self.generics_of(module, &Generics::default(), &ast.generics);
        let mut env = SigEnv {
            checker: self,
            module,
            generics,
            self_ty: None,
            value_params: Vec::new(),
            binds: false,
            fresh: None,
            opaque: Vec::new(),
        };
        let mut fields: Vec<Field> = Vec::new();
        for field in &ast.fields {
            if fields.iter().any(|known| known.name == field.name.text) {
                env.checker.report(Diagnostic::error(
                    codes::DUPLICATE_NAME,
                    field.name.span,
                    format!("the field `{}` is declared twice", field.name.text),
                ));
                continue;
            }
            let ty = elaborate(&mut env, &field.ty);
            fields.push(Field { name: field.name.text.clone(), ty });
        }
        let generics = Rc::new(env.generics);
        let vector = self.derives(attrs);
        let info = Rc::new(StructInfo { generics, fields, vector });
        self.structs[index] = Some(info.clone());
        info
    }

    fn derives(&mut self, attrs: &'a [ast::Attr]) -> bool {
        let mut vector = false;
        for attr in attrs {
            if attr.name.text != "derive" {
                self.report(Diagnostic::error(
                    codes::UNKNOWN_ATTRIBUTE,
                    attr.name.span,
                    format!("a record has no attribute `{}`", attr.name.text),
                ));
                continue;
            }
            for arg in &attr.args {
                let name = arg.value.as_name().map(|name| name.text.as_str());
                if name == Some("Vector") {
                    vector = true;
                } else {
                    self.report(
                        Diagnostic::error(codes::BAD_DERIVE, arg.span, "this cannot be derived")
                            .with_note("`#[derive(Vector)]` gives field-wise `+ - neg` and `*` by a scalar; write an `impl` for the rest"),
                    );
                }
            }
        }
        vector
    }

    /// Copies the records into the program, after looking for records that contain themselves.
    pub fn fill_records(&mut self) {
        for index in 0..self.structs.len() {
            if self.struct_state[index] == 0 {
                self.struct_cycle(index);
            }
        }
        for index in 0..self.structs.len() {
            let info = self.struct_info(RecordId(index as u32));
            self.check_record_fits(index, &info);
            let info = self.struct_info(RecordId(index as u32));
            let name = self.defs.structs[index].ast.name.text.clone();
            self.program.records.push(RecordDef { name, fields: info.fields.clone() });
        }
    }

    /// Reports the first record that is too large, not those that hold it. No later step looks into any of them.
    fn check_record_fits(&mut self, index: usize, info: &StructInfo) {
        let mut inner = Vec::new();
        info.fields.iter().for_each(|field| records_in(&field.ty, &mut inner));
        let holds_large = inner.iter().any(|record| self.too_large.contains(record));
        let all = Type::Tuple(info.fields.iter().map(|field| field.ty.clone()).collect());
        if !holds_large && self.fits(&all) {
            return;
        }
        if !holds_large && info.fields.iter().all(|field| self.fits(&field.ty)) {
            let span = self.defs.structs[index].ast.name.span;
            self.check_fits(&all, span);
        }
        self.too_large.insert(RecordId(index as u32));
        let fields = info.fields.iter().map(|field| Field { name: field.name.clone(), ty: Type::Error });
        let (generics, vector) = (info.generics.clone(), info.vector);
        self.structs[index] = Some(Rc::new(StructInfo { generics, fields: fields.collect(), vector }));
    }

    fn struct_cycle(&mut self, index: usize) {
        self.struct_state[index] = 1;
        let info = self.struct_info(RecordId(index as u32));
        for field in &info.fields {
            let mut inner = Vec::new();
            records_in(&field.ty, &mut inner);
            for target in inner {
                let target = target.0 as usize;
                match self.struct_state[target] {
                    0 => self.struct_cycle(target),
                    1 => {
                        let span = self.defs.structs[target].ast.name.span;
                        let name = &self.defs.structs[target].ast.name.text;
                        self.report(
                            Diagnostic::error(
                                codes::RECURSIVE_TYPE,
                                span,
                                format!("the record `{name}` contains itself"),
                            )
                            .with_note("records have a fixed layout; keep links as indices into arrays"),
                        );
                        self.structs[target] = Some(Rc::new(StructInfo {
                            generics: self.struct_info(RecordId(target as u32)).generics.clone(),
                            fields: Vec::new(),
                            vector: false,
                        }));
                    }
                    _ => {}
                }
            }
        }
        self.struct_state[index] = 2;
    }

    /// A type alias: its parameters and the type in terms of them.
    pub fn alias_template(&mut self, id: AliasId) -> Option<Rc<(Generics, Type)>> {
        match &self.aliases[id.index()] {
            AliasState::Done(template) => return Some(template.clone()),
            AliasState::Failed => return None,
            AliasState::Busy => {
                let name = &self.defs.aliases[id.index()].ast.name;
                let message = format!("the type `{}` stands for itself", name.text);
                self.report(Diagnostic::error(codes::RECURSIVE_TYPE, name.span, message));
                return None;
            }
            AliasState::Untouched => {}
        }
        self.aliases[id.index()] = AliasState::Busy;
        let errors = self.errors;
        let template = self.make_alias(id);
        self.aliases[id.index()] = match &template {
            Some(template) => AliasState::Done(template.clone()),
            // What was only tried, without a report, is tried again.
            None if self.quiet > 0 && self.errors > errors => AliasState::Untouched,
            None => AliasState::Failed,
        };
        template
    }

    fn make_alias(&mut self, id: AliasId) -> Option<Rc<(Generics, Type)>> {
        let def = &self.defs.aliases[id.index()];
        let (module, ast) = (def.module, def.ast);
        let busy = self.aliases.iter().filter(|state| matches!(state, AliasState::Busy)).count();
        if busy > MAX_NESTED_ALIASES {
            let message = format!("types stand for each other more than {MAX_NESTED_ALIASES} deep");
            self.report(Diagnostic::error(codes::RECURSIVE_TYPE, ast.name.span, message));
            return None;
        }
        let generics = self.generics_of(module, &Generics::default(), &ast.generics);
        let mut env = SigEnv {
            checker: self,
            module,
            generics,
            self_ty: None,
            value_params: Vec::new(),
            binds: false,
            fresh: None,
            opaque: Vec::new(),
        };
        let ty = elaborate(&mut env, &ast.ty);
        let generics = env.generics;
        (ty != Type::Error && self.check_fits(&ty, ast.ty.span)).then(|| Rc::new((generics, ty)))
    }

    /// What stands around a function or constant: parameters, and what `Self` is.
    pub fn owner_env(&mut self, owner: Owner) -> (Generics, Option<Type>) {
        match owner {
            Owner::Module => (Generics::default(), None),
            Owner::Impl(id) => {
                let info = self.impl_info(id);
                ((*info.generics).clone(), Some(info.self_ty.clone()))
            }
            Owner::Trait(id) => {
                let def = &self.defs.traits[id.index()];
                let (module, ast) = (def.module, def.ast);
                let bounds = self.with_supers(&[id]);
                let own = Generics {
                    types: vec![TypeParam {
                        name: "Self".to_owned(),
                        span: ast.name.span,
                        bounds,
                        doubtful: false,
                    }],
                    ..Generics::default()
                };
                (self.generics_of(module, &own, &ast.generics), Some(Type::Param(0)))
            }
        }
    }

    /// A function's signature.
    pub fn signature(&mut self, id: FnId) -> Rc<Signature<'a>> {
        if let Some(signature) = &self.signatures[id.index()] {
            return signature.clone();
        }
        let def = &self.defs.fns[id.index()];
        let (module, ast, owner) = (def.module, def.ast, def.owner);
        let (outer, self_ty) = self.owner_env(owner);
        let model = self.trait_model(id, self_ty.as_ref());
        let mut generics = self.generics_of(module, &outer, &ast.generics);
        let value_params = i64_params(ast, model.as_deref());
        if let Some(model) = &model {
            adopt(&mut generics, ast, model);
        }
        let mut env = SigEnv {
            checker: self,
            module,
            generics,
            self_ty,
            value_params,
            binds: true,
            fresh: None,
            opaque: Vec::new(),
        };
        let mut params: Vec<ParamSig<'a>> = Vec::new();
        for (index, param) in ast.params.iter().enumerate() {
            let ty = match &param.ty {
                Some(ty) => param_type(&mut env, ty),
                None if param.name.text == "self" && env.self_ty.is_some() => {
                    ParamType::Value(env.self_ty.clone().unwrap_or(Type::Error))
                }
                None => match model.as_ref().and_then(|model| model.params.get(index)) {
                    Some(given) => given.ty.clone(),
                    None => {
                        if model.is_none() {
                            env.checker.report(
                                Diagnostic::error(
                                    codes::BAD_TYPE,
                                    param.span,
                                    format!("the parameter `{}` needs a type", param.name.text),
                                )
                                .with_fix(
                                    "write one",
                                    param.name.span.end(),
                                    ": f64",
                                ),
                            );
                        }
                        ParamType::Value(Type::Error)
                    }
                },
            };
            if let Some(first) = params.iter().find(|known| known.name == param.name.text) {
                let span = first.span;
                env.checker.report(
                    Diagnostic::error(
                        codes::DUPLICATE_NAME,
                        param.name.span,
                        format!("two parameters are called `{}`", param.name.text),
                    )
                    .with_label(span, "the first one"),
                );
            }
            params.push(ParamSig {
                name: param.name.text.clone(),
                span: param.name.span,
                ty,
                mutable: param.mutable.is_some(),
                default: param.default.as_ref(),
            });
        }
        env.binds = false;
        env.fresh = Some(Vec::new());
        let result = match (&ast.result, &model) {
            (Some(ty), _) => elaborate(&mut env, ty),
            (None, Some(model)) => model.result.clone(),
            (None, None) => Type::UNIT,
        };
        let result_span = ast.result.as_ref().map_or(ast.signature, |ty| ty.span);
        let fresh = match (&ast.result, &model) {
            (None, Some(model)) => model.fresh.clone(),
            _ => env.fresh.take().unwrap_or_default(),
        };
        let opaque = std::mem::take(&mut env.opaque);
        let generics = Rc::new(env.generics);
        let signature = Rc::new(Signature { generics, params, result, result_span, fresh, opaque });
        if let Some(model) = &model {
            self.compare_with_model(id, &signature, model);
        }
        self.signatures[id.index()] = Some(signature.clone());
        signature
    }
}

/// What a function of an `impl` takes over from its trait: its generic parameters if it writes none, and the
/// sizes in their order, under the names it gives them itself.
fn adopt(generics: &mut Generics, ast: &ast::FnItem, model: &Signature<'_>) {
    if ast.generics.params.is_empty() {
        generics.types.clone_from(&model.generics.types);
        generics.consts.clone_from(&model.generics.consts);
    }
    let written = std::mem::replace(&mut generics.sizes, model.generics.sizes.clone());
    let mut names: Vec<Option<(String, Span)>> = vec![None; generics.sizes.len()];
    for (slot, size) in names.iter_mut().zip(&written) {
        *slot = Some((size.name.clone(), size.span));
    }
    for (param, theirs) in ast.params.iter().zip(&model.params) {
        if let (Some(ty), ParamType::Value(theirs)) = (&param.ty, &theirs.ty) {
            size_names(ty, theirs, &mut names);
        }
    }
    for (size, slot) in generics.sizes.iter().zip(&mut names) {
        if let Some(param) = size.value_param.and_then(|index| ast.params.get(index)) {
            *slot = Some((param.name.text.clone(), param.name.span));
        }
    }
    let given: Vec<String> = names.iter().flatten().map(|(name, _)| name.clone()).collect();
    for (size, name) in generics.sizes.iter_mut().zip(names) {
        match name {
            Some((name, span)) => (size.name, size.span) = (name, span),
            // The `impl` uses this name for another size.
            None if given.contains(&size.name) => size.name.push('\''),
            None => {}
        }
    }
}

/// The names that a written type gives to the sizes of a trait's.
fn size_names(written: &ast::Type, theirs: &Type, names: &mut [Option<(String, Span)>]) {
    match (&written.kind, theirs) {
        (ast::TypeKind::Array { sizes, .. }, Type::Array { sizes: known, .. })
            if sizes.len() == known.len() =>
        {
            for (size, known) in sizes.iter().zip(known) {
                if let ast::Size::Expr(expr) = size
                    && let ExprKind::Path(path) = &expr.kind
                    && let Some(name) = path.as_name()
                    && let Some(Atom::Param(index)) = known.as_atom()
                    && let Some(slot) = names.get_mut(*index as usize)
                    && slot.is_none()
                {
                    *slot = Some((name.text.clone(), name.span));
                }
            }
        }
        (ast::TypeKind::Tuple(parts), Type::Tuple(known)) if parts.len() == known.len() => {
            parts.iter().zip(known).for_each(|(part, known)| size_names(part, known, names));
        }
        _ => {}
    }
}

fn param_type<'a, 's>(env: &mut SigEnv<'_, 'a, 's>, ty: &'a ast::Type) -> ParamType {
    let ast::TypeKind::Fn { params, result } = &ty.kind else {
        return ParamType::Value(elaborate(env, ty));
    };
    let params = params.iter().map(|ty| elaborate(env, ty)).collect();
    env.fresh = Some(Vec::new());
    let result = elaborate(env, result);
    env.fresh = None;
    ParamType::Fn { params, result }
}

fn i64_params(ast: &ast::FnItem, model: Option<&Signature<'_>>) -> Vec<(String, Span, usize)> {
    let is_i64 = |index: usize, param: &ast::Param| match &param.ty {
        Some(ty) => {
            let ast::TypeKind::Path(path) = &ty.kind else { return false };
            path.as_name().is_some_and(|name| name.text == "i64")
        }
        None => model
            .and_then(|m| m.params.get(index))
            .is_some_and(|p| matches!(&p.ty, ParamType::Value(ty) if *ty == Type::I64)),
    };
    ast.params
        .iter()
        .enumerate()
        .filter(|(index, param)| is_i64(*index, param) && param.mutable.is_none())
        .map(|(index, param)| (param.name.text.clone(), param.name.span, index))
        .collect()
}

fn records_in(ty: &Type, out: &mut Vec<RecordId>) {
    match ty {
        Type::Array { elem, .. } => records_in(elem, out),
        Type::Tuple(parts) => parts.iter().for_each(|part| records_in(part, out)),
        Type::Record(record) => {
            out.push(record.def);
            record.types.iter().for_each(|ty| records_in(ty, out));
        }
        Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => {}
    }
}

/// A constant as a size.
pub fn const_size(value: Const) -> Size {
    Size::constant(const_as_i64(value))
}
