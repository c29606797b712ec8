//! Names in a model's body, and how often each is bound.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Block, Expr, Ident, Pat, Stmt};

use crate::syntax::peeled;

/// How often each name is bound by a `let` or assigned again. A name that is bound once can name a layer.
pub(super) fn count_lets(statements: &[Stmt]) -> HashMap<String, usize> {
    let mut lets = Lets(HashMap::new());
    lets.statements(statements);
    lets.0
}

struct Lets(HashMap<String, usize>);

impl Lets {
    fn bind(&mut self, name: &Ident) {
        *self.0.entry(name.to_string()).or_default() += 1;
    }

    fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            match statement {
                Stmt::Local(local) => {
                    for name in names_of(&local.pat) {
                        self.bind(&name);
                    }
                    if let Some(init) = &local.init {
                        self.expression(&init.expr);
                    }
                }
                Stmt::Expr(expression, _) => self.expression(expression),
                _ => {}
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.statements(&block.stmts);
    }

    fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::If(choice) => {
                self.block(&choice.then_branch);
                if let Some((_, branch)) = &choice.else_branch {
                    self.expression(branch);
                }
            }
            Expr::Block(block) => self.block(&block.block),
            Expr::ForLoop(for_loop) => self.block(&for_loop.body),
            Expr::Assign(assign) => {
                if let Some(name) = as_name(&assign.left) {
                    self.bind(name);
                }
                self.expression(&assign.right);
            }
            Expr::Binary(binary) => {
                self.expression(&binary.left);
                self.expression(&binary.right);
            }
            Expr::MethodCall(call) => {
                self.expression(&call.receiver);
                // A key `name = value` is not an assignment.
                call.args
                    .iter()
                    .filter(|value| !matches!(value, Expr::Assign(_)))
                    .for_each(|value| self.expression(value));
            }
            Expr::Unary(unary) => self.expression(&unary.expr),
            Expr::Index(index) => self.expression(&index.expr),
            Expr::Paren(inner) => self.expression(&inner.expr),
            Expr::Group(inner) => self.expression(&inner.expr),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|value| self.expression(value)),
            _ => {}
        }
    }
}

/// How names occur among the tokens of a body.
pub(super) struct Mentions {
    /// The names in `.name(`.
    called: HashSet<String>,
    /// The names that are not after a dot, and not bound there by `let`.
    read: HashSet<String>,
}

impl Mentions {
    pub(super) fn of(tokens: TokenStream) -> Self {
        let mut mentions = Self { called: HashSet::new(), read: HashSet::new() };
        mentions.add(tokens);
        mentions
    }

    /// Whether it is called like a layer.
    pub(super) fn is_called(&self, name: &Ident) -> bool {
        self.called.contains(&name.to_string())
    }

    /// Whether it occurs as an expression.
    pub(super) fn is_read(&self, name: &Ident) -> bool {
        self.read.contains(&name.to_string())
    }

    fn add(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            let before = place.checked_sub(1).map(|place| &tokens[place]);
            match token {
                TokenTree::Group(group) => self.add(group.stream()),
                TokenTree::Ident(name) => match before {
                    Some(TokenTree::Punct(dot)) if dot.as_char() == '.' => {
                        // Also `.name::<N>(`, which is an error of its own.
                        let is_call = match tokens.get(place + 1) {
                            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
                            Some(TokenTree::Punct(colon)) => colon.as_char() == ':',
                            _ => false,
                        };
                        if is_call {
                            self.called.insert(name.to_string());
                        }
                    }
                    Some(TokenTree::Ident(word)) if *word == "let" || *word == "mut" => {}
                    _ => {
                        // The name of a function is not that of a variable.
                        let is_function = matches!(tokens.get(place + 1), Some(TokenTree::Group(group))
                            if group.delimiter() == Delimiter::Parenthesis);
                        if !is_function {
                            self.read.insert(name.to_string());
                        }
                    }
                },
                _ => {}
            }
        }
    }
}

/// A plain name. `crate` and similar keywords are paths, but not names.
pub(super) fn as_name(expression: &Expr) -> Option<&Ident> {
    match peeled(expression) {
        Expr::Path(path) if path.qself.is_none() => {
            let name = path.path.get_ident()?;
            let is_keyword = ["crate", "self", "super", "Self"].iter().any(|keyword| name == keyword);
            (!is_keyword).then_some(name)
        }
        _ => None,
    }
}

/// The attributes of the expressions that a body may contain.
pub(super) fn attributes(expression: &Expr) -> &[Attribute] {
    match expression {
        Expr::Assign(of) => &of.attrs,
        Expr::Binary(of) => &of.attrs,
        Expr::Block(of) => &of.attrs,
        Expr::ForLoop(of) => &of.attrs,
        Expr::Group(of) => &of.attrs,
        Expr::If(of) => &of.attrs,
        Expr::Index(of) => &of.attrs,
        Expr::MethodCall(of) => &of.attrs,
        Expr::Paren(of) => &of.attrs,
        Expr::Path(of) => &of.attrs,
        Expr::Unary(of) => &of.attrs,
        _ => &[],
    }
}

/// The names that a pattern binds, for the patterns that a `let` of configuration may use.
pub(super) fn names_of(pattern: &Pat) -> Vec<Ident> {
    match pattern {
        Pat::Ident(pattern) => vec![pattern.ident.clone()],
        Pat::Type(pattern) => names_of(&pattern.pat),
        Pat::Tuple(pattern) => pattern.elems.iter().flat_map(names_of).collect(),
        _ => Vec::new(),
    }
}

/// The first name among the tokens that matches.
pub(super) fn find(tokens: TokenStream, is_wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(name) if is_wanted(&name) => Some(name),
        TokenTree::Group(group) => find(group.stream(), is_wanted),
        _ => None,
    })
}
