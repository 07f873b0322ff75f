//! Constructors of items, types, sizes and generics.

use super::Builder;
use crate::ast::*;
use crate::messages;
use we3_ir::span::Span;

/// A line of documentation or an attribute, before an item.
pub(crate) enum Lead {
    Doc(Doc),
    Attr(Attr),
}

/// A function up to its body.
pub(crate) struct Head {
    name: Name,
    generics: Generics,
    params: Vec<Param>,
    result: Option<Type>,
    signature: Span,
}

fn sort_leads(leads: Vec<Lead>) -> (Vec<Doc>, Vec<Attr>) {
    let (mut docs, mut attrs) = (vec![], vec![]);
    for lead in leads {
        match lead {
            Lead::Doc(doc) => docs.push(doc),
            Lead::Attr(attr) => attrs.push(attr),
        }
    }
    (docs, attrs)
}

impl Builder<'_> {
    pub(crate) fn item(
        &self,
        leads: Vec<Lead>,
        l: u32,
        public: Option<Span>,
        kind: ItemKind,
        r: u32,
    ) -> Item {
        let (docs, attrs) = sort_leads(leads);
        Item { docs, attrs, is_pub: public, kind, span: self.span(l, r) }
    }

    pub(crate) fn assoc_item(
        &self,
        leads: Vec<Lead>,
        l: u32,
        public: Option<Span>,
        kind: AssocKind,
        r: u32,
    ) -> AssocItem {
        let (docs, attrs) = sort_leads(leads);
        AssocItem { docs, attrs, is_pub: public, kind, span: self.span(l, r) }
    }

    pub(crate) fn doc(&self, l: u32, r: u32) -> Lead {
        Lead::Doc(crate::trivia::doc_line(self.text(l, r), self.span(l, r)))
    }

    pub(crate) fn attr(&self, l: u32, name: Name, args: Vec<Arg>, r: u32) -> Attr {
        Attr { name, args, span: self.span(l, r) }
    }

    pub(crate) fn use_leaf(&self, l: u32, path: Vec<Name>, alias: Option<Name>, r: u32) -> UseTree {
        UseTree { path, kind: UseKind::Leaf { alias }, span: self.span(l, r) }
    }

    pub(crate) fn use_group(&self, l: u32, path: Vec<Name>, trees: Vec<UseTree>, r: u32) -> UseTree {
        UseTree { path, kind: UseKind::Group(trees), span: self.span(l, r) }
    }

    pub(crate) fn type_alias(&self, name: Name, generics: Generics, ty: Type) -> ItemKind {
        ItemKind::TypeAlias(TypeAlias { name, generics, ty })
    }

    pub(crate) fn record_type(&self, name: Name, generics: Generics, fields: Vec<FieldDef>) -> ItemKind {
        ItemKind::Struct(StructItem { name, generics, fields })
    }

    pub(crate) fn trait_item(
        &self,
        name: Name,
        generics: Generics,
        supertraits: Vec<Path>,
        items: Vec<AssocItem>,
    ) -> ItemKind {
        ItemKind::Trait(TraitItem { name, generics, supertraits, items })
    }

    pub(crate) fn impl_item(
        &self,
        generics: Generics,
        of_trait: Option<Path>,
        ty: Type,
        items: Vec<AssocItem>,
    ) -> ItemKind {
        ItemKind::Impl(ImplItem { generics, of_trait, ty, items })
    }

    pub(crate) fn test(&self, name: StrLit, inputs: Vec<TestInput>, body: Block) -> ItemKind {
        ItemKind::Test(TestItem { name, inputs, body })
    }

    pub(crate) fn bench(&self, name: StrLit, inputs: Vec<TestInput>, body: Block) -> ItemKind {
        ItemKind::Bench(BenchItem { name, inputs, body })
    }

    pub(crate) fn test_input(&self, l: u32, name: Name, kind: TestInputKind, r: u32) -> TestInput {
        TestInput { name, kind, span: self.span(l, r) }
    }

    pub(crate) fn field_def(
        &self,
        leads: Vec<Lead>,
        l: u32,
        public: Option<Span>,
        name: Name,
        ty: Type,
        r: u32,
    ) -> FieldDef {
        if let Some(span) = public {
            self.report(messages::public_field(span, name.span));
        }
        let (docs, attrs) = sort_leads(leads);
        FieldDef { docs, attrs, name, ty, span: self.span(l, r) }
    }

    pub(crate) fn head(
        &self,
        l: u32,
        name: Name,
        generics: Generics,
        params: Vec<Param>,
        result: Option<Type>,
        r: u32,
    ) -> Head {
        Head { name, generics, params, result, signature: self.span(l, r) }
    }

    pub(crate) fn function(&self, head: Head, body: Option<FnBody>) -> FnItem {
        let Head { name, generics, params, result, signature } = head;
        FnItem { name, generics, params, result, body, signature }
    }

    pub(crate) fn param(
        &self,
        l: u32,
        mutable: Option<Span>,
        name: Name,
        ty: Option<Type>,
        default: Option<Expr>,
        r: u32,
    ) -> Param {
        Param { mutable, name, ty, default, span: self.span(l, r) }
    }

    pub(crate) fn generics(&self, l: u32, params: Vec<GenericParam>, r: u32) -> Generics {
        Generics { params, span: self.span(l, r) }
    }

    pub(crate) fn generic(&self, l: u32, name: Name, kind: GenericParamKind, r: u32) -> GenericParam {
        GenericParam { name, kind, span: self.span(l, r) }
    }

    fn ty(&self, l: u32, kind: TypeKind, r: u32) -> Type {
        let built = Type::new(kind, self.span(l, r));
        if self.allows_depth(built.depth, built.span) {
            built
        } else {
            Type::new(TypeKind::Error, built.span)
        }
    }

    pub(crate) fn path_type(&self, path: Path) -> Type {
        self.ty(path.span.lo, TypeKind::Path(path.clone()), path.span.hi)
    }

    pub(crate) fn array_type(&self, l: u32, elem: Type, sizes: Vec<Size>, r: u32) -> Type {
        if sizes.is_empty() {
            self.report(messages::no_sizes(self.span(elem.span.hi, r)));
            return self.ty(l, TypeKind::Error, r);
        }
        if let TypeKind::Array { sizes: outer, .. } = &elem.kind {
            self.report(messages::array_of_arrays(&elem, outer, &sizes, self.span(l, r)));
        }
        self.ty(l, TypeKind::Array { elem: Box::new(elem), sizes }, r)
    }

    pub(crate) fn tuple_type(&self, l: u32, types: Vec<Type>, r: u32) -> Type {
        self.ty(l, TypeKind::Tuple(types), r)
    }

    pub(crate) fn fn_type(&self, l: u32, params: Vec<Type>, result: Type, r: u32) -> Type {
        self.ty(l, TypeKind::Fn { params, result: Box::new(result) }, r)
    }

    pub(crate) fn open_size(&self, l: u32, r: u32) -> Size {
        Size::Open(self.span(l, r))
    }

    pub(crate) fn fresh_size(&self, l: u32, name: Name, r: u32) -> Size {
        Size::Fresh { name, span: self.span(l, r) }
    }

    pub(crate) fn generic_arg(&self, expr: Expr) -> GenericArg {
        if let ExprKind::Path(path) = expr.kind {
            return GenericArg::Path(path);
        }
        GenericArg::Size(Size::Expr(expr))
    }

    pub(crate) fn path(&self, name: Name) -> Path {
        let span = name.span;
        Path::new(vec![PathSegment { name, args: None, span }], span)
    }

    pub(crate) fn path_step(&self, path: Path, name: Name) -> Path {
        let Path { mut segments, span, depth } = path;
        let whole = span.to(name.span);
        let end = name.span;
        segments.push(PathSegment { name, args: None, span: end });
        Path { segments, span: whole, depth }
    }

    pub(crate) fn path_args(&self, path: Path, l: u32, args: Vec<GenericArg>, r: u32) -> Path {
        let Path { mut segments, span, depth } = path;
        let whole = self.span(span.lo, r);
        if args.is_empty() {
            self.report(messages::no_generic_args(self.span(l, r)));
        }
        let Some(last) = segments.pop() else { return Path { segments, span, depth } };
        if last.args.is_some() {
            self.report(messages::generic_args_twice(self.span(l, r)));
        }
        let last_span = last.span.to(whole.end());
        let end = Path::new(vec![PathSegment { args: Some(args), span: last_span, ..last }], whole);
        let allowed = self.allows_depth(end.depth, whole);
        let depth = if allowed { depth.max(end.depth) } else { depth };
        let keep = |segment| if allowed { segment } else { PathSegment { args: None, ..segment } };
        segments.extend(end.segments.into_iter().map(keep));
        Path { segments, span: whole, depth }
    }
}
