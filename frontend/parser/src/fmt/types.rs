//! Paths, types, sizes and generics.

use super::doc::Doc;
use super::lists::Shape;
use super::tokens::Formatter;
use crate::ast::*;
use crate::token::TokenKind as T;

impl<'s> Formatter<'s> {
    pub(super) fn path(&mut self, path: &Path) -> Doc<'s> {
        let mut docs = vec![];
        for (nth, segment) in path.segments.iter().enumerate() {
            if nth > 0 {
                docs.push(self.token("::"));
            }
            docs.push(self.any_token());
            if let Some(args) = &segment.args {
                if self.peek() == T::ColonColon {
                    docs.push(self.token("::"));
                }
                docs.push(self.flat_list("<", args, ">", Self::generic_arg));
            }
        }
        Doc::concat(docs)
    }

    fn generic_arg(&mut self, arg: &GenericArg) -> Doc<'s> {
        match arg {
            GenericArg::Path(path) => self.path(path),
            GenericArg::Type(ty) => self.ty(ty),
            GenericArg::Size(size) => self.size(size),
        }
    }

    pub(super) fn ty(&mut self, ty: &Type) -> Doc<'s> {
        match &ty.kind {
            TypeKind::Path(path) => self.path(path),
            TypeKind::Array { elem, sizes } => {
                let elem = self.ty(elem);
                Doc::concat(vec![elem, self.flat_list("[", sizes, "]", Self::size)])
            }
            TypeKind::Tuple(types) => self.tuple(types, Self::ty),
            TypeKind::Fn { params, result } => {
                let head = self.token("fn");
                let params = self.list("(", params, ")", Shape::Tight, Self::ty);
                Doc::concat(vec![
                    head,
                    params,
                    Doc::Text(" "),
                    self.token("->"),
                    Doc::Text(" "),
                    self.ty(result),
                ])
            }
            TypeKind::Error => Doc::Nil,
        }
    }

    /// `(a, b)`; with one part the comma always stands.
    pub(super) fn tuple<P>(&mut self, parts: &[P], part: impl Fn(&mut Self, &P) -> Doc<'s>) -> Doc<'s> {
        let [only] = parts else { return self.list("(", parts, ")", Shape::Tight, part) };
        let open = self.token("(");
        let inside = vec![Doc::Soft, part(self, only), self.token(","), self.comments_before_next()];
        Doc::group(vec![open, Doc::indent(inside), Doc::Soft, self.token(")")])
    }

    fn size(&mut self, size: &Size) -> Doc<'s> {
        match size {
            Size::Expr(expr) => self.expr(expr),
            Size::Fresh { .. } => Doc::concat(vec![self.token("?"), self.any_token()]),
            Size::Open(_) => self.token("?"),
        }
    }

    /// `: T`, if a type was written.
    pub(super) fn type_note(&mut self, ty: Option<&Type>) -> Doc<'s> {
        let Some(ty) = ty else { return Doc::Nil };
        Doc::concat(vec![self.token(":"), Doc::Text(" "), self.ty(ty)])
    }

    pub(super) fn generics(&mut self, generics: &Generics) -> Doc<'s> {
        if self.peek() != T::Lt {
            return Doc::Nil;
        }
        self.list("<", &generics.params, ">", Shape::Tight, |this, param| match &param.kind {
            GenericParamKind::Type { bounds } => {
                let name = this.any_token();
                Doc::concat(vec![name, this.bounds(bounds)])
            }
            GenericParamKind::Size => Doc::concat(vec![this.token("size"), Doc::Text(" "), this.any_token()]),
            GenericParamKind::Const { ty } => {
                let head =
                    vec![this.token("const"), Doc::Text(" "), this.any_token(), this.type_note(Some(ty))];
                Doc::concat(head)
            }
        })
    }

    /// `: A + B`, if there are any.
    pub(super) fn bounds(&mut self, bounds: &[Path]) -> Doc<'s> {
        let mut docs = vec![];
        for (nth, bound) in bounds.iter().enumerate() {
            let sign = if nth == 0 { vec![self.token(":")] } else { vec![Doc::Text(" "), self.token("+")] };
            docs.extend(sign);
            docs.push(Doc::Text(" "));
            docs.push(self.path(bound));
        }
        Doc::concat(docs)
    }
}
