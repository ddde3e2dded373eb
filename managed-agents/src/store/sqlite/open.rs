//! Opening: what is checked, what is begun, and what dead processes left.

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
use super::tiles::Tiles;
use super::tip::Tip;
use super::{agents, erasure, files, network, schema};
use crate::audit::tree::note::NoteSigner;
use crate::audit::tree::root_of;
use crate::call::Salt;
use crate::identity::Standing;

/// What wrote the record.
pub(super) const SOFTWARE: &str = concat!("managed-agents/", env!("CARGO_PKG_VERSION"));

/// A store that is opened: what the writer's thread needs.
pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) keys: Arc<SubjectKeys>,
    pub(super) signer: Option<NoteSigner>,
    pub(super) mark: MarkFile,
    pub(super) process: ProcessLock,
    pub(super) standings: Vec<(String, Standing)>,
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
    let _opening = OpenLock::take(&options.dir, options.patience)?;
    let mark_file = MarkFile::of(options.high_water.as_deref(), &options.dir)?;
    let mark = mark_file.read()?;
    let db = schema::writer(&options.dir, options.most_pages)?;
    let keys = Arc::new(SubjectKeys::open(&keys_file(&options.dir))?);
    begin_log(&db, options, mark.as_ref(), accept)?;

    let mut log = Log::new(&db, Arc::clone(&keys), options.patience)?;
    let (signer, now, accepted) = log.transact(true, |log, tip| {
        check_and_close(log, tip, options, mark.as_ref(), accept)
    })?;
    erasure::record_left(&mut log)?;
    // fsynced by the transaction above
    mark_file.raise(&now, accepted || mark.is_none())?;
    drop(log);

    let tip = Tip::read(&db, false)?;
    let process = ProcessLock::take(&options.dir)?;
    process::sweep(&options.dir);
    let standings = agents::all(&db)?
        .into_iter()
        .map(|(agent, row)| (agent, row.standing(tip.epoch)))
        .collect();
    Ok(Opened {
        keys,
        signer,
        mark: mark_file,
        process,
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
                return Err(rolled_back(mark, "there is none"));
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
    accept: bool,
) -> Result<(Option<NoteSigner>, Mark, bool), StoreError> {
    let right_edge = root_of(&Tiles::of(log.db), tip.size()).map_err(super::tiles::unproven)?;
    if right_edge != tip.root {
        return Err(StoreError::corrupt("the log's last records do not hash to its root"));
    }
    let fault = match mark {
        Some(mark) => fault(log.db, tip, mark)?,
        None => None,
    };
    let accepted = match (&fault, mark) {
        (None, _) | (_, None) => false,
        (Some(what), Some(mark)) if !accept => return Err(rolled_back(mark, what)),
        (Some(what), Some(mark)) => {
            let base = tip.origin.split("/restored-").next().unwrap_or_default().to_owned();
            let before = json!({ "origin": tip.origin, "root": tip.root.to_string(), "size": tip.size() });
            let high_water = json!({ "origin": mark.origin, "root": mark.root.to_string(), "size": mark.size });
            tip.origin = format!("{base}/restored-{}", random()?);
            let body = json!({
                "before": before, "fault": what, "high_water": high_water, "origin": tip.origin, "software": SOFTWARE,
            });
            log.state(tip, "origin", &body.to_string())?;
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
    if tip.synced_size != tip.size() {
        log.seal_size(tip, signer.as_ref())?;
    }
    Ok((signer, Mark::of(tip), accepted))
}

/// What is wrong with a log, if it is not the one that was marked or a longer one.
pub(super) fn fault(db: &Connection, tip: &Tip, mark: &Mark) -> Result<Option<String>, StoreError> {
    if tip.origin != mark.origin {
        return Ok(Some(format!("it is the log `{}`", tip.origin)));
    }
    if tip.synced_size < mark.size {
        return Ok(Some(format!("it has {}", tip.synced_size)));
    }
    let root = root_of(&Tiles::of(db), mark.size).map_err(super::tiles::unproven)?;
    Ok((root != mark.root).then(|| "its first records are others".to_owned()))
}

pub(super) fn rolled_back(mark: &Mark, what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::RolledBack,
        format!(
            "the log `{}` had {} records, and now {what}: find out why, or accept it as a new log",
            mark.origin, mark.size
        ),
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
