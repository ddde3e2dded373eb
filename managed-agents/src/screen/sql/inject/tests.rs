use super::*;

#[test]
fn values_that_break_out_are_found() {
    for value in [
        "' OR 1=1--",
        "x'; DROP TABLE users; --",
        "1 UNION ALL SELECT 1,2",
        "\") or (\"a\"=\"a",
        "1;waitfor delay '0:0:5'--",
        "'||(select 1)||'",
        "admin'--",
        "' AND 'a'='a",
        "1%20or%20sleep(5)",
    ] {
        assert!(injected(value), "{value}");
    }
}

#[test]
fn people_and_prose_pass() {
    for value in [
        "O'Brien",
        "Rock 'n' Roll",
        "Drop Zone",
        "select a table near the window",
        "it's 5 o'clock and she's late",
        "AT&T; Verizon",
        "R&D | Sales",
        "price > 5 and color = red",
        "C#",
        "union station",
        "update the settings",
        "Dwayne 'The Rock' Johnson",
        "a--b",
        "#1 -- best",
        "grant-access-to-user",
        "shutdown-now",
        "exp_id-22",
        "2026-11-27T10:30:00",
        "5f0c7f4e-9a51-4b34-8c1e-2b6f1a6ad0c3",
        "jo.smith-jones@mail.example.com",
    ] {
        assert!(!injected(value), "{value}");
    }
}
