//! Tokens of the text form, with byte positions. Any input gives tokens; what is none is `Unknown`.

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A word, dots included: `reduce.sum`, `f32`, `func`.
    Word(String),
    /// `%3`
    Value(u32),
    /// `#0`
    ResultRef(u32),
    /// `@name` or `@"any name"`
    Function(String),
    /// A number with its sign, as written.
    Number(String),
    /// One of `( ) [ ] { } , : =`.
    Punct(char),
    /// `->`
    Arrow,
    /// Anything else.
    Unknown(String),
    /// The end.
    End,
}

impl Token {
    /// The token as a message shows it.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Word(word) => format!("`{word}`"),
            Token::Value(number) => format!("`%{number}`"),
            Token::ResultRef(number) => format!("`#{number}`"),
            Token::Function(name) => format!("`@{name}`"),
            Token::Number(text) | Token::Unknown(text) => format!("`{text}`"),
            Token::Punct(mark) => format!("`{mark}`"),
            Token::Arrow => "`->`".into(),
            Token::End => "the end of the text".into(),
        }
    }
}

/// Whether a name needs no quotes after `@`.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'<' | b'>')
}

/// All tokens with their byte offsets; the last is `End`.
pub(super) fn tokens(source: &str) -> Vec<(Token, usize)> {
    let mut lexer = Lexer { source, at: 0 };
    let mut list = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let token = lexer.next();
        let ended = token == Token::End;
        list.push((token, start));
        if ended {
            return list;
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.at < self.source.len() && keep(self.peek(0)) {
            self.at += 1;
        }
        // Only ASCII bytes are ever kept, so both ends are character boundaries.
        self.source.get(start..self.at).unwrap_or("")
    }

    fn skip_blank(&mut self) {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace());
            if self.peek(0) != b';' {
                return;
            }
            let rest = self.source.get(self.at..).unwrap_or("");
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    fn next(&mut self) -> Token {
        let first = self.peek(0);
        match first {
            0 if self.at >= self.source.len() => Token::End,
            b'%' => self.numbered(Token::Value),
            b'#' => self.numbered(Token::ResultRef),
            b'@' => self.function(),
            b'-' if self.peek(1) == b'>' => {
                self.at += 2;
                Token::Arrow
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b':' | b'=' => {
                self.at += 1;
                Token::Punct(char::from(first))
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let word =
                    self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
                Token::Word(word.into())
            }
            _ => self.unknown(),
        }
    }

    fn unknown(&mut self) -> Token {
        let character = self.source.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or('?');
        self.at += character.len_utf8();
        Token::Unknown(character.into())
    }

    fn numbered(&mut self, make: impl Fn(u32) -> Token) -> Token {
        let mark = char::from(self.peek(0));
        self.at += 1;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(number) => make(number),
            Err(_) => Token::Unknown(format!("{mark}{digits}")),
        }
    }

    fn function(&mut self) -> Token {
        self.at += 1;
        if self.peek(0) != b'"' {
            let name = self.take_while(is_name_byte);
            return if name.is_empty() { Token::Unknown("@".into()) } else { Token::Function(name.into()) };
        }
        self.at += 1;
        let mut name = String::new();
        let mut escaped = false;
        while let Some(character) = self.source.get(self.at..).and_then(|rest| rest.chars().next()) {
            self.at += character.len_utf8();
            if escaped {
                name.push(if character == 'n' { '\n' } else { character });
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == '"' {
                return Token::Function(name);
            } else {
                name.push(character);
            }
        }
        Token::Unknown("@\"".into())
    }

    fn number(&mut self) -> Token {
        let start = self.at;
        if self.peek(0) == b'-' {
            self.at += 1;
            if self.peek(0).is_ascii_alphabetic() {
                self.take_while(|byte| byte.is_ascii_alphabetic());
                return self.number_from(start);
            }
        }
        if self.peek(0) == b'0' && self.peek(1) == b'x' {
            self.at += 2;
            self.take_while(|byte| byte.is_ascii_hexdigit());
            return self.number_from(start);
        }
        self.take_while(|byte| byte.is_ascii_digit());
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.take_while(|byte| byte.is_ascii_digit());
        }
        let signed = usize::from(matches!(self.peek(1), b'-' | b'+'));
        if matches!(self.peek(0), b'e' | b'E') && self.peek(1 + signed).is_ascii_digit() {
            self.at += 1 + signed;
            self.take_while(|byte| byte.is_ascii_digit());
        }
        self.number_from(start)
    }

    fn number_from(&self, start: usize) -> Token {
        Token::Number(self.source.get(start..self.at).unwrap_or("").into())
    }
}
