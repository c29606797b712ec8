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
use crate::model::ast::{Call, Flow, Index, Operator, Part, Step, Steps, Tie};
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

/// A model's statements, and the expressions of its outputs. After each output, `then` adds a statement.
pub(super) fn emit(
    over: Over,
    body: &Steps,
    then: impl Fn(usize, &Flow) -> TokenStream,
) -> (TokenStream, Vec<TokenStream>) {
    let mut emitter = Emitter { over, values: 0 };
    let mut statements: TokenStream = body.steps.iter().map(|step| emitter.step(step)).collect();
    let mut outputs = Vec::new();
    for (place, flow) in body.outputs().iter().enumerate() {
        outputs.push(emitter.flow(flow, &mut statements));
        statements.extend(then(place, flow));
    }
    (statements, outputs)
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
        let (mut before, mut steps) = (TokenStream::new(), TokenStream::new());
        match step {
            Step::Let { mutable, name, flow } => {
                let flow_tokens = self.flow(flow, &mut before);
                let step = quote!(#before let #mutable #name = #flow_tokens;);
                self.noted(name, flow, step)
            }
            Step::Tuple { parts } => {
                let mut names = TokenStream::new();
                for (part, flow) in parts {
                    let mut before = TokenStream::new();
                    let value = self.flow(flow, &mut before);
                    // A name of the pattern may hide one that a later flow reads.
                    let span = part.as_ref().map_or_else(Span::call_site, |(_, name)| name.span());
                    let value = self.value(span, &value, &mut before);
                    match part {
                        None => steps.extend(before),
                        Some((mutable, name)) => {
                            steps.extend(self.noted(name, flow, before));
                            names.extend(quote!(let #mutable #name = #value;));
                        }
                    }
                }
                steps.extend(names);
                steps
            }
            Step::Bind { name, call } => self.bind(name, call),
            Step::Parts { names, call } => self.parts(names, call),
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

    /// The statements of a `let`. A user may mistake its name for a layer's; the graph records the names of its layers.
    fn noted(&self, name: &Ident, flow: &Flow, step: TokenStream) -> TokenStream {
        let names_layer = match flow {
            Flow::Name(_) => true,
            Flow::Call(call) => call.binding.is_some(),
            _ => false,
        };
        if self.over == Over::Shapes || names_layer {
            return step;
        }
        let text = name.unraw().to_string();
        quote! {
            let __first = __scope.layers();
            #step
            __scope.bound(#text, __first);
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
            Flow::Number { value, operator, span, number, is_first } => {
                let value = self.flow(value, before);
                let method = number_method(*operator, *is_first, *span);
                let number = quote_spanned!(*span=> __t::number(#number));
                self.applied(*span, &method, &quote!(#value, #number), before)
            }
            Flow::Negated { value, span } => {
                let value = self.flow(value, before);
                self.applied(*span, &Ident::new("neg", *span), &value, before)
            }
            Flow::Index { value, span, index } => {
                let value = self.flow(value, before);
                let (method, arguments) = match index {
                    Index::At(at) => ("select", quote!(#value, #at)),
                    Index::Range { start, limits, end } => {
                        let start = start.as_ref().map_or_else(|| quote!(0), |start| quote!(#start));
                        let end = match (end, limits) {
                            (None, _) => quote!(::core::primitive::usize::MAX),
                            (Some(end), RangeLimits::HalfOpen(_)) => quote!(#end),
                            (Some(end), RangeLimits::Closed(_)) => quote!((#end) + 1),
                        };
                        ("slice", quote!(#value, #start, #end))
                    }
                };
                self.applied(*span, &Ident::new(method, *span), &arguments, before)
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
            // Only at the end of a body, where `emit` takes its parts.
            Flow::Tuple(flows) => {
                let flows = flows.iter().map(|flow| self.flow(flow, before)).collect::<Vec<_>>();
                quote!((#(#flows),*))
            }
        }
    }

    /// A method of the scope or the trace on values.
    fn applied(
        &mut self,
        span: Span,
        method: &Ident,
        arguments: &TokenStream,
        before: &mut TokenStream,
    ) -> TokenStream {
        let over = self.over.local(span);
        let applied = match self.over {
            Over::Shapes => quote_spanned!(span=> (#over).#method(#arguments)),
            Over::Graph => quote_spanned!(span=> (#over).#method(#arguments)?),
        };
        self.value(span, &applied, before)
    }

    /// A call that returns several values.
    fn parts(&mut self, names: &[Part], call: &Call) -> TokenStream {
        let mut steps = TokenStream::new();
        let inputs = match call.inputs.split_first() {
            Some((Flow::Call(receiver), others)) => {
                let receiver = self.chain(receiver, &mut steps);
                let others: Vec<_> = others.iter().collect();
                std::iter::once(receiver).chain(self.operands(&others, &mut steps)).collect()
            }
            _ => self.operands(&call.inputs.iter().collect::<Vec<_>>(), &mut steps),
        };
        let (span, count, first) = (call.layer.span(), names.len(), inputs.first());
        let (name, over) = (&call.layer, self.over.local(span));
        let wanted = names.iter().map(Option::is_some);
        let called = match (self.over, call.is_bound) {
            (Over::Graph, true) => {
                quote_spanned!(span=> (#over).apply_parts::<_, #count>(&#name, &[#(#inputs),*], [#(#wanted),*])?)
            }
            (Over::Shapes, true) => {
                let (first_call, text) = (first_call(name), name.unraw().to_string());
                quote_spanned! {span=>
                    (#over).bound_parts(&mut #first_call, #text, &#name, #first, #name.outputs::<#count>(#(#inputs),*))
                }
            }
            (Over::Graph, false) => {
                let tokens = literal(call).tokens;
                let (made, ties) = ties(call, span);
                steps.extend(made);
                quote_spanned! {span=>
                    (#over).call_parts::<_, #count>(__t::parted(#tokens), &[#(#inputs),*], #ties, [#(#wanted),*])?
                }
            }
            (Over::Shapes, false) => {
                let literal = literal(call);
                let (tokens, keys) = (&literal.tokens, literal.key_names());
                let method = Ident::new(if call.depends { "dependent_parts" } else { "parts" }, span);
                steps.extend(quote_spanned!(span=> let __layer = __t::parted(#tokens);));
                quote_spanned! {span=>
                    (#over).#method(&__layer, &[#(#keys),*], __t::check_returned(__layer.check()), #first, __layer.outputs::<#count>(#(#inputs),*))
                }
            }
        };
        let all = self.value(span, &called, &mut steps);
        if !call.is_bound {
            self.ties(
                call,
                &quote_spanned!(span=> __layer),
                (&inputs, &quote_spanned!(span=> #all[0])),
                &mut steps,
            );
        }
        for (part, name) in names.iter().enumerate() {
            if let Some((mutable, name)) = name {
                steps.extend(quote!(let #mutable #name = #all[#part];));
            }
        }
        steps
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

    /// A layer that is bound to a name: over shapes its configuration, and what its first call was.
    fn bind(&self, name: &Ident, call: &Call) -> TokenStream {
        let literal = literal(call);
        let (span, tokens, over) = (literal.span, &literal.tokens, self.over.local(literal.span));
        match self.over {
            Over::Graph => {
                let path = path(call);
                let (before, ties) = ties(call, over.span());
                quote_spanned!(span=> #before let #name = (#over).declare(#path, #tokens, #ties)?;)
            }
            Over::Shapes => {
                let names = literal.key_names();
                let method = Ident::new(if call.depends { "binds_dependent" } else { "binds" }, span);
                let first = first_call(name);
                let init = self.tied_init(call, &quote!(#name));
                quote_spanned! {span=>
                    let #name = #tokens;
                    let mut #first = __t::FirstCall::NONE;
                    (#over).#method(&#name, &[#(#names),*], __t::check_returned(#name.check()));
                    #init
                }
            }
        }
    }

    fn call(&mut self, call: &Call, inputs: &[TokenStream], before: &mut TokenStream) -> TokenStream {
        if call.is_bound {
            return self.call_of_bound(call, inputs, before);
        }
        self.one_call(call, inputs, before)
    }

    /// A call of a layer with keys.
    fn one_call(&mut self, call: &Call, inputs: &[TokenStream], before: &mut TokenStream) -> TokenStream {
        let literal = literal(call);
        let span = literal.span;
        let tokens = &literal.tokens;
        let over = self.over.local(span);
        let called = match self.over {
            Over::Graph if call.ties.is_empty() => match &call.binding {
                None => quote_spanned!(span=> (#over).call(#tokens, &[#(#inputs),*])?),
                Some(binding) => {
                    let name = binding.unraw().to_string();
                    quote_spanned!(span=> (#over).call_named(#name, #tokens, &[#(#inputs),*])?)
                }
            },
            Over::Graph => {
                let path = path(call);
                let (made, ties) = ties(call, span);
                before.extend(made);
                quote_spanned!(span=> (#over).call_tied(#path, #tokens, &[#(#inputs),*], #ties)?)
            }
            Over::Shapes => {
                let names = literal.key_names();
                let method = if call.depends { "dependent" } else { "layer" };
                let method = Ident::new(method, span);
                let first = inputs.first();
                before.extend(quote_spanned!(span=> let __layer = #tokens;));
                before.extend(self.tied_init(call, &quote_spanned!(span=> __layer)));
                quote_spanned! {span=>
                    (#over).#method(&__layer, &[#(#names),*], __t::check_returned(__layer.check()), #first, __t::one_value(__layer.output(#(#inputs),*)))
                }
            }
        };
        let value = self.value(span, &called, before);
        self.ties(call, &quote_spanned!(span=> __layer), (inputs, &value), before);
        value
    }

    fn call_of_bound(
        &mut self,
        call: &Call,
        inputs: &[TokenStream],
        before: &mut TokenStream,
    ) -> TokenStream {
        let (name, span) = (&call.layer, call.layer.span());
        let over = self.over.local(span);
        let called = match self.over {
            Over::Graph => quote_spanned!(span=> (#over).apply(&#name, &[#(#inputs),*])?),
            Over::Shapes => {
                let (first_call, text, first) = (first_call(name), name.unraw().to_string(), inputs.first());
                quote_spanned! {span=>
                    (#over).bound(&mut #first_call, #text, &#name, #first, __t::one_value(#name.output(#(#inputs),*)))
                }
            }
        };
        let value = self.value(span, &called, before);
        self.ties(call, &quote_spanned!(span=> #name), (inputs, &value), before);
        value
    }

    /// The check that an `init` applies to a parameter of the layer's own.
    fn tied_init(&self, call: &Call, layer: &TokenStream) -> TokenStream {
        let key = call.keys.iter().map(|(key, _)| key).find(|key| *key == "init");
        let (Some(key), false) = (key, call.ties.is_empty()) else { return TokenStream::new() };
        let over = self.over.local(key.span());
        let own = call.ties.iter().map(|tie| tie.own.unraw().to_string());
        quote_spanned!(key.span()=> (#over).tied_init(&#layer, &[#(#own),*]);)
    }

    /// The checks of the parameters that a layer takes from others.
    fn ties(
        &self,
        call: &Call,
        layer: &TokenStream,
        (inputs, output): (&[TokenStream], &TokenStream),
        before: &mut TokenStream,
    ) {
        if self.over == Over::Graph {
            return;
        }
        let input = inputs.first();
        for tie in &call.ties {
            let span = tie.parameter.span();
            let (over, first_call) = (self.over.local(span), first_call(&tie.layer));
            let [own, other, parameter] =
                [&tie.own, &tie.layer, &tie.parameter].map(|name| name.unraw().to_string());
            before.extend(quote_spanned! {span=>
                (#over).tie(#own, &#layer, (#input, #output), (#other, &#first_call), #parameter);
            });
        }
    }

    /// Binds an expression to a name.
    fn value(&mut self, span: Span, expression: &TokenStream, before: &mut TokenStream) -> TokenStream {
        self.values += 1;
        let name = format_ident!("__value{}", self.values, span = span);
        before.extend(quote_spanned!(span=> let #name = #expression;));
        quote!(#name)
    }
}

/// The name of the layer's path, if its `let` names it.
fn path(call: &Call) -> TokenStream {
    match &call.binding {
        None => quote!(::core::option::Option::None),
        Some(binding) => {
            let name = binding.unraw().to_string();
            quote!(::core::option::Option::Some(#name))
        }
    }
}

/// The parameters that a layer takes from others: statements that make them, and an expression.
fn ties(call: &Call, span: Span) -> (TokenStream, TokenStream) {
    if call.ties.is_empty() {
        return (TokenStream::new(), quote!(&[]));
    }
    let over = Over::Graph.local(span);
    let ties = call.ties.iter().map(|Tie { own, layer, parameter }| {
        let (own, parameter) = (own.unraw().to_string(), parameter.unraw().to_string());
        quote_spanned!(span=> (#over).tie(#own, &#layer, #parameter))
    });
    (quote_spanned!(span=> let __ties = [#(#ties),*];), quote_spanned!(span=> &__ties))
}

/// The variable that has what the first call of a bound layer was.
fn first_call(name: &Ident) -> Ident {
    format_ident!("__first_call_of_{}", name.unraw(), span = name.span())
}

/// Whether a flow has statements in it.
fn has_block(flow: &Flow) -> bool {
    match flow {
        Flow::Name(_) => false,
        Flow::Call(call) => call.inputs.iter().any(has_block),
        Flow::Join { left, right, .. } => has_block(left) || has_block(right),
        Flow::Tuple(flows) => flows.iter().any(has_block),
        Flow::Number { value, .. } | Flow::Negated { value, .. } | Flow::Index { value, .. } => {
            has_block(value)
        }
        Flow::If { .. } | Flow::Block(_) => true,
    }
}

/// The method for an operator between two values.
fn method(operator: Operator, span: Span) -> Ident {
    let name = match operator {
        Operator::Add => "add",
        Operator::Sub => "sub",
        Operator::Mul => "mul",
        Operator::Div => "div",
    };
    Ident::new(name, span)
}

/// The method for an operator between a value and a number.
fn number_method(operator: Operator, is_first: bool, span: Span) -> Ident {
    let name = match (operator, is_first) {
        (Operator::Add, _) => "add_number",
        (Operator::Sub, false) => "sub_number",
        (Operator::Sub, true) => "number_sub",
        (Operator::Mul, _) => "mul_number",
        (Operator::Div, false) => "div_number",
        (Operator::Div, true) => "number_div",
    };
    Ident::new(name, span)
}
