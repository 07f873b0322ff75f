//! The kinds of tokens. The lexer proper is derived from this list.

use logos::{Lexer, Logos};

/// A token and the bytes it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub lo: u32,
    /// One past its last byte.
    pub hi: u32,
}

/// Takes everything up to `*/`, or the rest of the file.
fn block_comment(lexer: &mut Lexer<'_, TokenKind>) {
    let rest = lexer.remainder();
    let length = rest.find("*/").map_or(rest.len(), |at| at + 2);
    lexer.bump(length);
}

/// What a token is. Its text is the source under its span.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[logos(skip r"[ \t\r\n\f]+")]
pub enum TokenKind {
    /// An identifier.
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    /// An integer literal.
    #[regex("[0-9][A-Za-z0-9_]*")]
    Int,
    /// A float literal.
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9_]*([eE][+-]?[0-9_]+)?[A-Za-z0-9_]*")]
    #[regex(r"[0-9][0-9_]*[eE][+-]?[0-9_]*[0-9][A-Za-z0-9_]*", priority = 9)]
    #[regex(r"0[xX][0-9a-fA-F_]+(\.[0-9a-fA-F_]+)?[pP][+-]?[0-9]+[A-Za-z0-9_]*", priority = 12)]
    #[regex(r"0[xX][0-9a-fA-F_]+\.[0-9a-fA-F][A-Za-z0-9_]*", priority = 11)]
    Float,
    /// A string literal.
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    Str,
    /// A string literal without its closing quote.
    #[regex(r#""([^"\\\n]|\\[^\n])*\\?"#)]
    UnclosedStr,
    /// Text in single quotes, which other languages have.
    #[regex(r"'[^'\n]*'")]
    QuotedStr,
    /// `// …`
    #[regex(r"//[^\n]*", allow_greedy = true)]
    Comment,
    /// `/// …` before an item.
    Doc,
    /// `//! …` at the top of a file.
    ModuleDoc,
    /// `# …`, a comment elsewhere.
    #[regex(r"#([^\[\n][^\n]*)?", allow_greedy = true)]
    HashComment,
    /// `/* … */`, a comment elsewhere.
    #[token("/*", block_comment)]
    BlockComment,
    /// What could not be read; in a repaired token list, a stretch that did not parse.
    Error,
    /// A `>` with another directly behind it.
    GtJoint,
    /// `use`
    #[token("use")]
    Use,
    /// `const`
    #[token("const")]
    Const,
    /// `type`
    #[token("type")]
    Type,
    /// `struct`
    #[token("struct")]
    Struct,
    /// `trait`
    #[token("trait")]
    Trait,
    /// `impl`
    #[token("impl")]
    Impl,
    /// `fn`
    #[token("fn")]
    Fn,
    /// `pub`
    #[token("pub")]
    Pub,
    /// `let`
    #[token("let")]
    Let,
    /// `mut`
    #[token("mut")]
    Mut,
    /// `if`
    #[token("if")]
    If,
    /// `else`
    #[token("else")]
    Else,
    /// `while`
    #[token("while")]
    While,
    /// `for`
    #[token("for")]
    For,
    /// `in`
    #[token("in")]
    In,
    /// `break`
    #[token("break")]
    Break,
    /// `continue`
    #[token("continue")]
    Continue,
    /// `return`
    #[token("return")]
    Return,
    /// `true`
    #[token("true")]
    True,
    /// `false`
    #[token("false")]
    False,
    /// `precompute`
    #[token("precompute")]
    Precompute,
    /// `assert`
    #[token("assert")]
    Assert,
    /// `as`
    #[token("as")]
    As,
    /// `by` where it is no name.
    By,
    /// `size` where it is no name.
    Size,
    /// `test` where it is no name.
    Test,
    /// `bench` where it is no name.
    Bench,
    /// `rev` where it is no name.
    Rev,
    /// `(`
    #[token("(")]
    LParen,
    /// `)`
    #[token(")")]
    RParen,
    /// `[`
    #[token("[")]
    LBracket,
    /// `]`
    #[token("]")]
    RBracket,
    /// `{`
    #[token("{")]
    LBrace,
    /// `}`
    #[token("}")]
    RBrace,
    /// `#[`
    #[token("#[")]
    HashBracket,
    /// `,`
    #[token(",")]
    Comma,
    /// `;`
    #[token(";")]
    Semi,
    /// `:`
    #[token(":")]
    Colon,
    /// `::`
    #[token("::")]
    ColonColon,
    /// `->`
    #[token("->")]
    Arrow,
    /// `=>`
    #[token("=>")]
    FatArrow,
    /// `.`
    #[token(".")]
    Dot,
    /// `..`
    #[token("..")]
    DotDot,
    /// `?`
    #[token("?")]
    Question,
    /// `_`
    #[token("_", priority = 3)]
    Underscore,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `%`
    #[token("%")]
    Percent,
    /// `@`
    #[token("@")]
    At,
    /// `^`
    #[token("^")]
    Caret,
    /// `&`
    #[token("&")]
    And,
    /// `|`
    #[token("|")]
    Or,
    /// `&&`
    #[token("&&")]
    AndAnd,
    /// `||`
    #[token("||")]
    OrOr,
    /// `!`
    #[token("!")]
    Bang,
    /// `==`
    #[token("==")]
    EqEq,
    /// `!=`
    #[token("!=")]
    NotEq,
    /// `<`
    #[token("<")]
    Lt,
    /// `<=`
    #[token("<=")]
    LtEq,
    /// `>`
    #[token(">")]
    Gt,
    /// `>=`
    #[token(">=")]
    GtEq,
    /// `<<`
    #[token("<<")]
    Shl,
    /// `=`
    #[token("=")]
    Eq,
    /// `+=`
    #[token("+=")]
    PlusEq,
    /// `-=`
    #[token("-=")]
    MinusEq,
    /// `*=`
    #[token("*=")]
    StarEq,
    /// `/=`
    #[token("/=")]
    SlashEq,
    /// `%=`
    #[token("%=")]
    PercentEq,
    /// `@=`
    #[token("@=")]
    AtEq,
    /// `&=`
    #[token("&=")]
    AndEq,
    /// `|=`
    #[token("|=")]
    OrEq,
    /// `^=`
    #[token("^=")]
    CaretEq,
    /// `<<=`
    #[token("<<=")]
    ShlEq,
    /// `>>=`
    #[token(">>=")]
    ShrEq,
    /// `**`
    #[token("**")]
    StarStar,
}

impl TokenKind {
    /// The text of a token that is always the same.
    pub const fn fixed_text(self) -> Option<&'static str> {
        use TokenKind as T;
        Some(match self {
            T::Name | T::Int | T::Float | T::Str | T::UnclosedStr | T::QuotedStr => return None,
            T::Comment | T::Doc | T::ModuleDoc | T::HashComment | T::BlockComment => return None,
            T::Error => return None,
            T::GtJoint => ">",
            T::Use => "use",
            T::Const => "const",
            T::Type => "type",
            T::Struct => "struct",
            T::Trait => "trait",
            T::Impl => "impl",
            T::Fn => "fn",
            T::Pub => "pub",
            T::Let => "let",
            T::Mut => "mut",
            T::If => "if",
            T::Else => "else",
            T::While => "while",
            T::For => "for",
            T::In => "in",
            T::Break => "break",
            T::Continue => "continue",
            T::Return => "return",
            T::True => "true",
            T::False => "false",
            T::Precompute => "precompute",
            T::Assert => "assert",
            T::As => "as",
            T::By => "by",
            T::Size => "size",
            T::Test => "test",
            T::Bench => "bench",
            T::Rev => "rev",
            T::LParen => "(",
            T::RParen => ")",
            T::LBracket => "[",
            T::RBracket => "]",
            T::LBrace => "{",
            T::RBrace => "}",
            T::HashBracket => "#[",
            T::Comma => ",",
            T::Semi => ";",
            T::Colon => ":",
            T::ColonColon => "::",
            T::Arrow => "->",
            T::FatArrow => "=>",
            T::Dot => ".",
            T::DotDot => "..",
            T::Question => "?",
            T::Underscore => "_",
            T::Plus => "+",
            T::Minus => "-",
            T::Star => "*",
            T::Slash => "/",
            T::Percent => "%",
            T::At => "@",
            T::Caret => "^",
            T::And => "&",
            T::Or => "|",
            T::AndAnd => "&&",
            T::OrOr => "||",
            T::Bang => "!",
            T::EqEq => "==",
            T::NotEq => "!=",
            T::Lt => "<",
            T::LtEq => "<=",
            T::Gt => ">",
            T::GtEq => ">=",
            T::Shl => "<<",
            T::Eq => "=",
            T::PlusEq => "+=",
            T::MinusEq => "-=",
            T::StarEq => "*=",
            T::SlashEq => "/=",
            T::PercentEq => "%=",
            T::AtEq => "@=",
            T::AndEq => "&=",
            T::OrEq => "|=",
            T::CaretEq => "^=",
            T::ShlEq => "<<=",
            T::ShrEq => ">>=",
            T::StarStar => "**",
        })
    }

    /// Whether it stands between tokens and means nothing to the grammar.
    pub const fn is_trivia(self) -> bool {
        matches!(
            self,
            TokenKind::Comment | TokenKind::ModuleDoc | TokenKind::HashComment | TokenKind::BlockComment
        )
    }

    /// Whether it opens something.
    pub const fn is_opener(self) -> bool {
        self.closer().is_some()
    }

    /// The token that closes what this one opens.
    pub const fn closer(self) -> Option<TokenKind> {
        match self {
            TokenKind::LParen => Some(TokenKind::RParen),
            TokenKind::LBracket | TokenKind::HashBracket => Some(TokenKind::RBracket),
            TokenKind::LBrace => Some(TokenKind::RBrace),
            _ => None,
        }
    }

    /// Whether it closes something.
    pub const fn is_closer(self) -> bool {
        matches!(self, TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace)
    }

    /// Whether an expression may end with it.
    pub const fn ends_expression(self) -> bool {
        use TokenKind as T;
        matches!(
            self,
            T::Name | T::Int | T::Float | T::Str | T::True | T::False | T::RParen | T::RBracket | T::RBrace
        )
    }
}
