//! Code of other languages that is not what runs: it is decoded, or fetched, first.

use super::code::scan_deep;
use super::code_text::Code;
use super::data::Data;
use super::walk::Walk;
use crate::screen::finding::Span;
use crate::screen::{rule, text};

/// Judges code that is decoded or fetched before it runs, and what it would be.
pub(super) fn decoded(walk: &mut Walk<'_>, code: &Code<'_>, literals: &[String], span: Span, depth: u32) {
    let has = |names: &[&str]| code.has(names);
    let evaluates = has(&[
        "exec(",
        "eval(",
        "(eval)",
        "eval ",
        "exec ",
        "compile(",
        "Function(",
        "instance_eval",
        "loadstring",
        "load(",
        "marshal.loads",
        "pickle.loads",
        "create_function",
        "assert(",
    ]);
    let decodes = has(&[
        "b64decode",
        "b64_decode",
        "base64_decode",
        "decode64",
        "decode_base64",
        "atob(",
        "unhexlify",
        "fromhex",
        "hex2bin",
        "unpack",
        "pack(",
        "'base64'",
        "\"base64\"",
        "rot13",
        "zlib.decompress",
        "gzinflate",
        "str_rot13",
        "fromCharCode",
        "bytes(",
        "chr(",
        "[::-1]",
        "strrev",
        "reverse",
        "decodebytes",
        "marshal.loads",
    ]);
    if evaluates
        && has(&[
            "urlopen",
            "requests.get",
            "fetch(",
            "http.get",
            "https.get",
            "LWP",
            "Net::HTTP",
            "open-uri",
            "URI.open",
            "get(\"http",
            "get('http",
            "'http').get",
            "'https').get",
            "\"http\").get",
            "\"https\").get",
            "file_get_contents('http",
            "file_get_contents(\"http",
            "curl_exec",
        ])
    {
        walk.report(&rule::REMOTE_CODE, span);
    }
    // PHP, include and require: with `allow_url_include`, from anywhere, or what the request itself holds
    let included = |literal: &String| {
        ["http://", "https://", "ftp://", "data:", "php://input", "expect://"]
            .iter()
            .any(|own| literal.starts_with(own))
    };
    if has(&[
        "include ",
        "include(",
        "include_once",
        "require ",
        "require(",
        "require_once",
    ]) && literals.iter().any(included)
    {
        walk.report(&rule::REMOTE_CODE, span);
    }
    let plain = has(&[
        "b64decode",
        "decode64",
        "decode_base64",
        "base64_decode",
        "atob(",
        "unhexlify",
        "fromhex",
    ]);
    if evaluates && decodes || plain && has(&["system(", "popen(", "os.execute", "subprocess", "exec "]) {
        walk.report(&rule::HIDDEN_CODE, span);
    }
    if depth == 0 || !(decodes || evaluates) {
        return;
    }
    for literal in literals.iter().filter(|literal| literal.len() >= 8) {
        let plain = [
            text::base64(literal),
            text::hex(literal),
            text::base32(literal),
            Some(literal.chars().rev().collect()),
        ];
        for plain in plain.into_iter().flatten() {
            scan_deep(walk, &plain, span, depth - 1);
            walk.script(&plain, span, &Data::none());
        }
        if evaluates {
            scan_deep(walk, literal, span, depth - 1);
        }
    }
}
