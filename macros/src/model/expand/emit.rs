//! A model's body as straight-line Rust: one `let` for each layer.
//!
//! The same body is emitted twice, over shapes for the compiler and over a graph at run time; only the code
//! for a layer differs.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident, RangeLimits};

use super::layers::literal;
use crate::model::ast::{Call, Flow, Operator, Step, Steps};
use crate::path::local;

/// What the body is emitted over.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Over {
    /// `Trace` and `Shape`, in const evaluation.
    Shapes,
    /// `Scope` and `Value`, when the program runs.
    Graph,
}

impl Over {
    /// The receiver of the steps. It is emitted in parentheses with the token's span; otherwise rustc would attribute the whole
    /// call to the macro in its messages.
    pub(super) fn local(self, span: Span) -> Ident {
        let name = match self {
            Self::Shapes => "__trace",
            Self::Graph => "__scope",
        };
        local(name, span)
    }
}

/// The body's statements, and the expression of its last value.
pub(super) fn emit(over: Over, body: &Steps) -> (TokenStream, Option<TokenStream>) {
    Emitter { over, values: 0 }.body(body)
}

struct Emitter {
    over: Over,
    values: usize,
}

impl Emitter {
    fn body(&mut self, steps: &Steps) -> (TokenStream, Option<TokenStream>) {
        let mut statements: TokenStream = steps.steps.iter().map(|step| self.step(step)).collect();
        let tail = steps.tail.as_ref().map(|tail| self.flow(tail, &mut statements));
        (statements, tail)
    }

    fn block(&mut self, steps: &Steps) -> TokenStream {
        let (statements, tail) = self.body(steps);
        quote!({ #statements #tail })
    }

    fn step(&mut self, step: &Step) -> TokenStream {
        let mut before = TokenStream::new();
        match step {
            Step::Let { mutable, name, flow } => {
                let names_layer = match flow {
                    Flow::Name(_) => true,
                    Flow::Call(call) => call.binding.is_some(),
                    _ => false,
                };
                let flow = self.flow(flow, &mut before);
                let step = quote!(#before let #mutable #name = #flow;);
                if self.over == Over::Shapes || names_layer {
                    return step;
                }
                // A user may mistake this name for a layer's; the graph records the names of its layers.
                let text = name.unraw().to_string();
                quote! {
                    let __first = __scope.layers();
                    #step
                    __scope.bound(#text, __first);
                }
            }
            Step::Assign { name, flow } => {
                let flow = self.flow(flow, &mut before);
                quote!(#before #name = #flow;)
            }
            Step::For { counter, start, limits, end, body } => {
                let body = self.block(body);
                self.for_loop(counter.as_ref(), start, limits, end, &body)
            }
            Step::If { condition, then, otherwise } => {
                let then = self.block(then);
                let otherwise = otherwise.as_ref().map(|otherwise| {
                    let otherwise = self.block(otherwise);
                    quote!(else #otherwise)
                });
                quote!(if #condition #then #otherwise)
            }
            Step::Plain(statement) => quote!(#statement),
        }
    }

    /// A loop; const evaluation has no `for`.
    fn for_loop(
        &self,
        counter: Option<&Ident>,
        start: &Expr,
        limits: &RangeLimits,
        end: &Expr,
        body: &TokenStream,
    ) -> TokenStream {
        if self.over == Over::Graph {
            let counter = counter.map_or_else(|| quote!(_), |counter| quote!(#counter));
            return quote!(for #counter in #start #limits #end #body);
        }
        let counter = counter.map(|counter| quote!(let #counter = __counter;));
        let (goes_on, ends) = match limits {
            RangeLimits::HalfOpen(_) => (quote!(<), None),
            // A closed range may end at the maximum of its type.
            RangeLimits::Closed(_) => (
                quote!(<=),
                Some(quote!(if __counter == __end {
                    break;
                })),
            ),
        };
        quote! {{
            let (mut __counter, __end) = (#start, #end);
            while __counter #goes_on __end {
                #counter
                #body
                #ends
                __counter += 1;
            }
        }}
    }

    /// A flow as an expression; the layers that it needs are added to `before`.
    fn flow(&mut self, flow: &Flow, before: &mut TokenStream) -> TokenStream {
        match flow {
            Flow::Name(name) => quote!(#name),
            Flow::Call(call) => self.chain(call, before),
            Flow::Join { left, operator, span, right } => {
                let operands = self.operands(&[left, right], before);
                let method = method(*operator, *span);
                let over = self.over.local(*span);
                let joined = match self.over {
                    Over::Shapes => quote_spanned!(*span=> (#over).#method(#(#operands),*)),
                    Over::Graph => quote_spanned!(*span=> (#over).#method(#(#operands),*)?),
                };
                self.value(*span, &joined, before)
            }
            // Named like every other value, so that evaluation follows the source order.
            Flow::If { condition, then, otherwise } => {
                let (then, otherwise) = (self.block(then), self.block(otherwise));
                self.value(condition.span(), &quote!(if #condition #then else #otherwise), before)
            }
            Flow::Block(steps) => {
                let block = self.block(steps);
                self.value(Span::call_site(), &block, before)
            }
        }
    }

    /// Flows as expressions, evaluated from left to right: a name is copied where a later block could assign
    /// it again.
    fn operands(&mut self, flows: &[&Flow], before: &mut TokenStream) -> Vec<TokenStream> {
        let assigns = flows.iter().any(|flow| has_block(flow));
        let operand = |flow: &&Flow| match flow {
            Flow::Name(name) if assigns => self.value(name.span(), &quote!(#name), before),
            flow => self.flow(flow, before),
        };
        flows.iter().map(operand).collect()
    }

    /// Handles the calls of a chain iteratively, from the first one: a chain may have hundreds, and recursion uses stack.
    fn chain(&mut self, last: &Call, before: &mut TokenStream) -> TokenStream {
        let calls = last.chain();
        let mut receiver = None;
        for call in calls.into_iter().rev() {
            let given = match receiver {
                None => self.operands(&call.inputs.iter().collect::<Vec<_>>(), before),
                Some(receiver) => {
                    let others: Vec<_> = call.inputs.iter().skip(1).collect();
                    std::iter::once(receiver).chain(self.operands(&others, before)).collect()
                }
            };
            receiver = Some(self.call(call, &given, before));
        }
        receiver.unwrap_or_default()
    }

    fn call(&mut self, call: &Call, inputs: &[TokenStream], before: &mut TokenStream) -> TokenStream {
        let literal = literal(call);
        let (span, tokens) = (literal.span, &literal.tokens);
        let over = self.over.local(span);
        let called = match self.over {
            Over::Graph => match &call.binding {
                None => quote_spanned!(span=> (#over).call(#tokens, &[#(#inputs),*])?),
                Some(binding) => {
                    let name = binding.unraw().to_string();
                    quote_spanned!(span=> (#over).call_named(#name, #tokens, &[#(#inputs),*])?)
                }
            },
            Over::Shapes => {
                let names = literal.key_names();
                let method = if call.depends { "dependent" } else { "layer" };
                let method = Ident::new(method, span);
                let first = inputs.first();
                before.extend(quote_spanned!(span=> let __layer = #tokens;));
                quote_spanned! {span=>
                    (#over).#method(&__layer, &[#(#names),*], __t::check_returned(__layer.check()), #first, __layer.output(#(#inputs),*))
                }
            }
        };
        self.value(span, &called, before)
    }

    /// Binds an expression to a name.
    fn value(&mut self, span: Span, expression: &TokenStream, before: &mut TokenStream) -> TokenStream {
        self.values += 1;
        let name = format_ident!("__value{}", self.values, span = span);
        before.extend(quote_spanned!(span=> let #name = #expression;));
        quote!(#name)
    }
}

/// Whether a flow has statements in it.
fn has_block(flow: &Flow) -> bool {
    match flow {
        Flow::Name(_) => false,
        Flow::Call(call) => call.inputs.iter().any(has_block),
        Flow::Join { left, right, .. } => has_block(left) || has_block(right),
        Flow::If { .. } | Flow::Block(_) => true,
    }
}

/// The method for an operator between two values.
fn method(operator: Operator, span: Span) -> Ident {
    let name = match operator {
        Operator::Add => "add",
        Operator::Sub => "sub",
        Operator::Mul => "mul",
    };
    Ident::new(name, span)
}
