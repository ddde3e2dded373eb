//! Buckets of clouds, and what is copied to them and from one to another: aws-s3(1), gsutil(1), gcloud storage, az storage, azcopy.

use super::{cli, found};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::walk::Walk;

/// aws-s3(1), gsutil(1): what belongs to the system or is a whole home, copied to a bucket.
pub(super) fn uploads(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let words = cli::words(
        cmd,
        &[
            "--profile",
            "--region",
            "--endpoint-url",
            "--account-name",
            "-c",
            "-n",
            "--exclude",
            "--include",
        ],
    );
    let is_bucket = |text: &str| text.starts_with("s3://") || text.starts_with("gs://") || text.starts_with("https://");
    // from one bucket to another, for whoever owns that one (aws-s3-cp(1), `--acl`)
    let buckets = words.iter().filter(|text| is_bucket(text)).count() > 1;
    let given = [
        "public-read",
        "public-read-write",
        "authenticated-read",
        "bucket-owner-full-control",
    ];
    // azcopy: the account is the host
    let host = |text: &str| text.split('/').nth(2).map(str::to_owned);
    let account = words.iter().rev().nth(1).and_then(|text| host(text));
    let others =
        cmd.name == "azcopy" && buckets && cmd.long("recursive") && account != words.last().and_then(|text| host(text));
    if others || buckets && (cmd.has_any(&given) || cmd.long("grants")) {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    let Some((_, from)) = words.split_last().filter(|(to, _)| is_bucket(to)) else {
        return;
    };
    for text in from.iter().filter(|text| text.starts_with(['/', '~'])) {
        let place = walk.places.place(text, &walk.cwd);
        let data = ["/var/lib/", "/var/spool/", "/var/mail", "/etc", "/root", "/home"];
        if matches!(place, Place::Root | Place::Home | Place::System)
            || data
                .iter()
                .any(|directory| text.starts_with(directory) && !text.contains("/.cache"))
                && !matches!(place, Place::InHome)
        {
            found(walk, cmd, &rule::EXFIL_FILE);
        }
    }
}
