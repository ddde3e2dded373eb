//! Opening: what is checked, what is begun, and what dead processes left.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::json;

use super::error::{StoreError, StoreErrorKind};
use super::interrupts::Stops;
use super::keys::SubjectKeys;
use super::log::{self, Log};
use super::mark::{Mark, MarkFile};
use super::options::StoreOptions;
use super::process::{self, OpenLock, ProcessLock};
use super::revoked::RevokedFile;
use super::tickets::{self, StoreKey};
use super::tiles::Tiles;
use super::tip::Tip;
use super::trusted::Trusted;
use super::{agents, erasure, files, network, schema};
use crate::audit::tree::note::NoteSigner;
use crate::audit::tree::root_of;
use crate::call::Salt;
use crate::identity::Standing;

/// What wrote the record.
pub(super) const SOFTWARE: &str = concat!("managed-agents/", env!("CARGO_PKG_VERSION"));

/// The most names in one entry.
const MOST_REVOKED: usize = 500;

/// A store that is opened: what the writer's thread needs.
pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) keys: Arc<SubjectKeys>,
    pub(super) ticket_key: StoreKey,
    pub(super) signer: Option<NoteSigner>,
    pub(super) mark: MarkFile,
    pub(super) process: ProcessLock,
    pub(super) trusted: Trusted,
    pub(super) revoked: RevokedFile,
    pub(super) standings: HashMap<String, Standing>,
    pub(super) stops: Stops,
    pub(super) epoch: u64,
    pub(super) log_time: i64,
}

pub(super) fn keys_file(dir: &Path) -> PathBuf {
    dir.join("subjects.keys")
}

/// Opens a store. With `accept`, a log that was rolled back goes on under a new origin.
pub(super) fn open(options: &StoreOptions, accept: bool) -> Result<Opened, StoreError> {
    files::private_dir(&options.dir)?;
    if !options.network_allowed {
        network::refuse(&options.dir)?;
    }
    let _opening = OpenLock::take(&options.dir)?;
    let mark_file = MarkFile::of(options.high_water.as_deref(), &options.dir)?;
    let mark = mark_file.read()?;
    let revoked_file = RevokedFile::of(&mark_file);
    let revoked = revoked_file.read()?;
    let db = schema::writer(&options.dir, options.most_pages)?;
    let keys = Arc::new(SubjectKeys::open(&keys_file(&options.dir))?);
    let ticket_key = StoreKey::open(&options.dir)?;
    begin_log(&db, options, mark.as_ref(), accept)?;

    let mut log = Log::new(&db, Arc::clone(&keys), options.patience)?;
    let (signer, now, accepted) = log.transact(true, |log, tip| {
        check_and_close(log, tip, options, mark.as_ref(), &revoked, accept)
    })?;
    erasure::record_left(&mut log)?;
    // fsynced by the transaction above
    mark_file.raise(&now, accepted || mark.is_none())?;
    drop(log);

    // one that was recorded by a process that died before it could be noted
    revoked_file.add(&agents::revoked(&db)?)?;

    let tip = Tip::read(&db, false)?;
    let process = ProcessLock::take(&options.dir)?;
    process::sweep(&options.dir);
    let standings = agents::standings(&agents::all(&db)?, tip.epoch);
    Ok(Opened {
        keys,
        ticket_key,
        signer,
        mark: mark_file,
        process,
        trusted: Trusted::new(options.trusted.clone())?,
        revoked: revoked_file,
        standings,
        stops: Stops::read(&db, tip.size())?,
        epoch: tip.epoch,
        log_time: tip.log_time,
        db,
    })
}

/// Makes the tables and the first row of a log that is new, and the tables that one of an older version lacks.
fn begin_log(db: &Connection, options: &StoreOptions, mark: Option<&Mark>, accept: bool) -> Result<(), StoreError> {
    log::begin(db, options.patience)?;
    let begun = || -> Result<(), StoreError> {
        let version = schema::version(db)?;
        if version != 0
            && version < schema::VERSION
            && let Some(id) = process::alive(&options.dir)?
        {
            // it would go on writing what it knows, beside tables that it does not
            return Err(StoreError::new(
                StoreErrorKind::Locked,
                format!(
                    "the record has version {version}, and a process that may be older has it open \
                     (processes/{id:016x}.lock): end it first"
                ),
            ));
        }
        schema::migrate(db, schema::STEPS)?;
        if version == 0 {
            if let Some(mark) = mark
                && !accept
            {
                return Err(rolled_back(Some(mark), "there is none"));
            }
            let origin = match &options.origin {
                Some(origin) => origin.clone(),
                None => format!("managed-agents.local/{}", random()?),
            };
            Tip::begin(&origin).write(&mut db.prepare(super::tip::WRITE_TREE)?)?;
        }
        Ok(db.execute_batch("COMMIT")?)
    };
    begun().inspect_err(|_| {
        // what failed is undone by SQLite itself when the connection ends
        let _ = db.execute_batch("ROLLBACK");
    })
}

/// In one transaction: the log is what it was, it has an origin and names its key, and nothing of a dead process is left open.
fn check_and_close(
    log: &mut Log<'_>,
    tip: &mut Tip,
    options: &StoreOptions,
    mark: Option<&Mark>,
    revoked: &BTreeSet<String>,
    accept: bool,
) -> Result<(Option<NoteSigner>, Mark, bool), StoreError> {
    let right_edge = root_of(&Tiles::of(log.db), tip.size()).map_err(super::tiles::unproven)?;
    if right_edge != tip.root {
        return Err(StoreError::corrupt("the log's last records do not hash to its root"));
    }
    let fault = fault(log.db, tip, mark, revoked)?;
    let accepted = match fault {
        None => false,
        Some(what) if !accept => return Err(rolled_back(mark, &what)),
        Some(what) => {
            continue_restored(log, tip, mark, revoked, &what)?;
            true
        }
    };
    if tip.size() == 0 {
        let mut body = json!({ "origin": tip.origin, "software": SOFTWARE });
        if let (Some(body), Some(authority)) = (body.as_object_mut(), &options.authority) {
            body.insert("authority".to_owned(), authority.clone().into());
        }
        log.state(tip, "origin", &body.to_string())?;
    }
    let signer = signer(log, tip, options)?;
    let mut select = log.db.prepare("SELECT DISTINCT process FROM running")?;
    let processes: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for process in processes {
        if process::is_dead(&options.dir, process)? {
            log.close_process(tip, process)?;
        }
    }
    let now = super::admission::micros(std::time::SystemTime::now()).max(tip.log_time);
    tickets::expire_due(log, tip, now)?;
    if tip.synced_size != tip.size() {
        log.seal_size(tip, signer.as_ref())?;
    }
    Ok((signer, Mark::of(tip), accepted))
}

/// Goes on with a log that is not the one that was marked: under a new name, with every agent stopped and every ticket cancelled. Each
/// agent may have been stopped since the copy was made, each approval used, and only the operator knows.
fn continue_restored(
    log: &mut Log<'_>,
    tip: &mut Tip,
    mark: Option<&Mark>,
    revoked: &BTreeSet<String>,
    what: &str,
) -> Result<(), StoreError> {
    let base = tip.origin.split("/restored-").next().unwrap_or_default().to_owned();
    let before = json!({ "origin": tip.origin, "root": tip.root.to_string(), "size": tip.size() });
    let high_water =
        mark.map(|mark| json!({ "origin": mark.origin, "root": mark.root.to_string(), "size": mark.size }));
    tip.origin = format!("{base}/restored-{}", random()?);
    let revoked: Vec<&str> = revoked.iter().map(String::as_str).collect();
    let mut parts: Vec<&[&str]> = revoked.chunks(MOST_REVOKED).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let mut agents = agents::all(log.db)?;
    for part in parts {
        let body = json!({
            "before": before, "fault": what, "high_water": high_water, "origin": tip.origin, "revoked": part, "software": SOFTWARE,
        });
        log.state(tip, "origin", &body.to_string())?;
        agents::stopped(&mut agents, part.iter().copied());
    }
    agents
        .iter()
        .try_for_each(|(agent, row)| agents::write(log.db, agent, row))?;
    tickets::cancel_all(log, tip)
}

/// What is wrong with a log, if it is not the one that was marked or a longer one, or does not know who was revoked.
pub(super) fn fault(
    db: &Connection,
    tip: &Tip,
    mark: Option<&Mark>,
    revoked: &BTreeSet<String>,
) -> Result<Option<String>, StoreError> {
    if let Some(mark) = mark {
        if tip.origin != mark.origin {
            return Ok(Some(format!("it is the log `{}`", tip.origin)));
        }
        if tip.synced_size < mark.size {
            return Ok(Some(format!("it has {}", tip.synced_size)));
        }
        let root = root_of(&Tiles::of(db), mark.size).map_err(super::tiles::unproven)?;
        if root != mark.root {
            return Ok(Some("its first records are others".to_owned()));
        }
    }
    if revoked.is_empty() {
        return Ok(None);
    }
    let recorded = agents::revoked(db)?;
    let forgotten = revoked.iter().find(|agent| !recorded.contains(*agent));
    Ok(forgotten.map(|agent| format!("it does not say that agent `{agent}` was revoked")))
}

pub(super) fn rolled_back(mark: Option<&Mark>, what: &str) -> StoreError {
    let had = match mark {
        Some(mark) => format!("the log `{}` had {} records, and now", mark.origin, mark.size),
        None => "the log is not the one that was here:".to_owned(),
    };
    StoreError::new(
        StoreErrorKind::RolledBack,
        format!("{had} {what}: find out why, or accept it as a new log"),
    )
}

/// The key that signs checkpoints; the log names it before it signs anything.
fn signer(log: &mut Log<'_>, tip: &mut Tip, options: &StoreOptions) -> Result<Option<NoteSigner>, StoreError> {
    let Some(seed) = &options.log_key else {
        return Ok(None);
    };
    let refused = |why: &dyn std::fmt::Display| StoreError::new(StoreErrorKind::Refused, format!("the log key: {why}"));
    let signer = NoteSigner::from_seed(&tip.origin, seed).map_err(|error| refused(&error))?;
    let key = signer.verifier().to_string();
    let named = super::lookup::log_keys(log.db, tip.size())?;
    if !named.contains(&key) {
        log.state(tip, "log_key", &json!({ "key": key }).to_string())?;
    }
    Ok(Some(signer))
}

fn random() -> Result<String, StoreError> {
    let salt = Salt::fresh()?;
    Ok(salt.reveal().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}
