//! Conditions that hold for every row, or for none.

use super::token::{Kind, Token};

/// Whether a condition is always true: a literal, or two literals that are equal, not tied down by AND.
pub(super) fn always_true(condition: &[Token<'_>]) -> bool {
    let alternatives = condition.split(|token| token.text.eq_ignore_ascii_case("or") || token.text == "||");
    for alternative in alternatives {
        let plain: Vec<&Token<'_>> = alternative
            .iter()
            .filter(|token| !matches!(token.text.as_ref(), "(" | ")"))
            .collect();
        let literal = |token: &Token<'_>| matches!(token.kind, Kind::Number | Kind::Text);
        let truth = |token: &Token<'_>| {
            token.text.eq_ignore_ascii_case("true") || token.kind == Kind::Number && token.text != "0"
        };
        let always = match plain.as_slice() {
            [] => false,
            [one] => truth(one),
            [not, one] => not.text.eq_ignore_ascii_case("not") && !truth(one) && one.kind == Kind::Number,
            [a, sign, b] => match sign.text.as_ref() {
                "=" | "<=>" => {
                    (literal(a) && literal(b) || a.kind == Kind::Word && b.kind == Kind::Word) && a.text == b.text
                }
                "<>" | "!=" => literal(a) && literal(b) && a.text != b.text,
                ">=" | "<=" => literal(a) && literal(b) && a.text == b.text,
                ">" | "<" => literal(a) && literal(b),
                _ => {
                    sign.text.eq_ignore_ascii_case("like") && (a.text == b.text || b.text == "%")
                        || sign.text.eq_ignore_ascii_case("is") && a.text.eq_ignore_ascii_case(&b.text)
                }
            },
            _ => false,
        };
        if always {
            return true;
        }
    }
    false
}

/// Two plain values compared, behind a word that joins conditions: it tests nothing of any row.
pub(super) fn compares_literals(tokens: &[Token<'_>]) -> bool {
    let joins = |token: &Token<'_>| {
        ["or", "and", "xor", "where", "having", "not", "when", "if", "||", "&&"]
            .iter()
            .any(|own| token.text.eq_ignore_ascii_case(own))
    };
    let literal = |token: &Token<'_>| matches!(token.kind, Kind::Number | Kind::Text);
    let compares = |token: &Token<'_>| {
        matches!(token.text.as_ref(), "=" | "<" | ">" | "<>" | "!=" | "<=" | ">=" | "<=>")
            || token.text.eq_ignore_ascii_case("like")
            || token.text.eq_ignore_ascii_case("rlike")
    };
    let plain: Vec<&Token<'_>> = tokens
        .iter()
        .filter(|token| !matches!(token.text.as_ref(), "(" | ")"))
        .take(256)
        .collect();
    plain
        .windows(4)
        .any(|four| matches!(four, [join, a, sign, b] if joins(join) && literal(a) && compares(sign) && literal(b)))
}
