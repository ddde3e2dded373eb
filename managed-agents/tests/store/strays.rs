//! Rows that belong to no entry of the log are found wherever they lie.

use managed_agents::store::{Depth, Reader};

use crate::support::{Place, calls, sound};

/// The codes of what is found when a statement has been run on a record of three blocks.
fn found(sql: &str, depth: Depth) -> Vec<&'static str> {
    let place = Place::new("strays");
    calls(&place.open(), "bot", 300);
    assert_eq!(sound(place.path()).len(), 602);
    let data = place.path().join("data");
    let db = rusqlite::Connection::open(data.join("record.db")).unwrap();
    assert_eq!(db.execute(sql, []).unwrap(), 1, "{sql}");
    drop(db);
    let report = Reader::open(data).unwrap().verify(depth, |_| ()).unwrap();
    report.problems().iter().map(|problem| problem.code()).collect()
}

#[test]
fn a_row_of_an_entry_before_the_first_or_after_the_last_is_found() {
    for place in ["-1", "602", "1000000", "-9223372036854775808", "9223372036854775807"] {
        let sql =
            format!("INSERT INTO entries(seq, leaf, bytes) SELECT {place}, leaf, bytes FROM entries WHERE seq = 2");
        for depth in [Depth::Quick, Depth::Deep] {
            assert_eq!(found(&sql, depth), ["record_missing"], "{place}");
        }
    }
}

#[test]
fn values_beside_no_entry_and_beside_one_that_has_none_are_found() {
    // 0 and 1 are of the log itself, 3, 255, 257 and 601 are outcomes
    for place in ["-1", "0", "1", "3", "255", "257", "601", "602", "9223372036854775807"] {
        let sql = format!(
            "INSERT INTO sealed(seq, subject, nonce, box, mark) SELECT {place}, subject, nonce, box, mark FROM sealed \
             WHERE seq = 2"
        );
        let codes = found(&sql, Depth::Deep);
        assert!(codes.contains(&"value_differs"), "{place}: {codes:?}");
    }
}
