//! Key files: made once however many processes begin at once, and readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::locked::{self, COST};
use super::{
    Authority, Certificate, IdentityError, IdentityErrorKind, Mandate, Moment, PrivateKey, Rotation, Trust,
    TrustDomain, encoding,
};
use crate::call::AgentId;

const AUTHORITY_KEY: &str = "authority.key";
const AUTHORITY_LOCKED: &str = "authority.locked";
const AUTHORITY_CERTIFICATES: &str = "authority.pem";
const LOG_KEY: &str = "log.key";
const WITNESS_KEY: &str = "witness.key";
/// No key file is longer; a mandate may be.
const MAX_KEY: u64 = 16 * 1024;
const MAX_MANDATE: u64 = 16 * 1024 * 1024;

/// A directory of key files, 0700, each file 0600.
///
/// | file | what it is |
/// |---|---|
/// | `authority.key` | the authority's private key (PKCS #8, PEM) |
/// | `authority.locked` | the same under a passphrase, in place of it (`ma-locked-key/1`) |
/// | `authority.pem` | the authority's certificate, and those of authorities before it |
/// | `log.key` | the key that signs the log's checkpoints |
/// | `witness.key` | where other logs are witnessed: the key that cosigns their checkpoints |
/// | `approver-<name>.locked` | an approver's key, under a passphrase |
/// | `agent-<id>.key`, `agent-<id>.mandate` | an agent's key, and its right to renew its identity |
///
/// On Unix a key file that its group or others could read is refused, and so is a directory that they could write. Elsewhere
/// the permissions of files are not checked: keep the directory where only its owner can look. Keys are kept in no keyring of
/// the operating system. On a file system without hard links no file can be made.
///
/// # Examples
///
/// ```
/// use managed_agents::identity::{KeyDir, Moment};
/// # let temporary = std::env::temp_dir().join(format!("ma-doc-{}", std::process::id()));
/// let keys = KeyDir::open(&temporary)?;
/// let (authority, new) = keys.authority(None, Moment::now())?;
/// assert!(new);
/// let (again, new) = keys.authority(None, Moment::now())?;
/// assert!(!new && again.certificate() == authority.certificate());
/// # std::fs::remove_dir_all(&temporary)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyDir {
    path: PathBuf,
}

impl KeyDir {
    /// Opens a directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when it cannot be made, is no directory, or can be written by others.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, IdentityError> {
        let path = path.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| failed("make", &path, &error))?;
        let metadata = fs::metadata(&path).map_err(|error| failed("look at", &path, &error))?;
        refuse_mode(&path, &metadata, 0o022, "written", "go-w")?;
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The authority whose key lies here in the open, which is made if there is none; true when it was made just now. Any
    /// number of processes may ask at once: all get the same.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when a file cannot be read, written or trusted, or when the key is under a passphrase;
    /// [`IdentityErrorKind::Input`] when the authority is that of another trust domain.
    pub fn authority(
        &self,
        trust_domain: Option<TrustDomain>,
        now: Moment,
    ) -> Result<(Authority, bool), IdentityError> {
        if self.is_locked() {
            return Err(refused(
                &self.file(AUTHORITY_LOCKED),
                "the authority's key is under a passphrase",
            ));
        }
        self.refuse_lost_key()?;
        let (key, new) = self.key_or_new(AUTHORITY_KEY)?;
        Ok((self.authority_of(key, trust_domain, now)?, new))
    }

    /// Whether the authority's key is under a passphrase.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.has(AUTHORITY_LOCKED)
    }

    /// Puts the authority's key under a passphrase, at least 8 bytes long: the one that lies here in the open, whose file is
    /// removed, or a new one. Keep the directory with the operator, out of reach of agents.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when there is a locked key already, or a file cannot be read or written;
    /// [`IdentityErrorKind::Input`] for a passphrase that is too short.
    pub fn lock_authority(
        &self,
        passphrase: &str,
        trust_domain: Option<TrustDomain>,
        now: Moment,
    ) -> Result<Authority, IdentityError> {
        let there = || refused(&self.file(AUTHORITY_LOCKED), "there is a locked key already");
        if self.has(AUTHORITY_LOCKED) {
            return Err(there());
        }
        self.refuse_lost_key()?;
        let open = self.read_key(AUTHORITY_KEY)?;
        let plain = open.is_some();
        let key = open.map_or_else(PrivateKey::generate, Ok)?;
        let text = Zeroizing::new(locked::lock(&key, passphrase, COST)?);
        if !self.create(AUTHORITY_LOCKED, text.as_bytes())? {
            return Err(there());
        }
        let authority = self.authority_of(key, trust_domain, now)?;
        if plain {
            self.remove_plain_key()?;
        }
        Ok(authority)
    }

    /// The authority whose key lies here under a passphrase. Takes 64 MiB of memory for a moment.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Passphrase`] when the passphrase is wrong, [`IdentityErrorKind::KeyFile`] when there is no locked key.
    pub fn unlock_authority(&self, passphrase: &str, now: Moment) -> Result<Authority, IdentityError> {
        let text = self
            .read(AUTHORITY_LOCKED, MAX_KEY, Secrecy::Secret)?
            .ok_or_else(|| refused(&self.file(AUTHORITY_LOCKED), "there is no locked key"))?;
        let key = locked::unlock(&text, passphrase)?;
        // whoever locked it did not come so far as to remove the same key in the open
        if self
            .read_key(AUTHORITY_KEY)?
            .is_some_and(|plain| plain.public() == key.public())
        {
            self.remove_plain_key()?;
        }
        self.authority_of(key, None, now)
    }

    fn remove_plain_key(&self) -> Result<(), IdentityError> {
        let path = self.file(AUTHORITY_KEY);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
        self.sync()
    }

    /// The key is made before the certificates: those alone are no beginning, but a loss.
    fn refuse_lost_key(&self) -> Result<(), IdentityError> {
        if self.has(AUTHORITY_CERTIFICATES) && !self.has(AUTHORITY_KEY) {
            return Err(refused(
                &self.file(AUTHORITY_KEY),
                "it is missing beside the authority's certificates; put it back, or move both away to begin anew",
            ));
        }
        Ok(())
    }

    fn authority_of(
        &self,
        key: PrivateKey,
        trust_domain: Option<TrustDomain>,
        now: Moment,
    ) -> Result<Authority, IdentityError> {
        let certificates = match self.certificates()? {
            Some(certificates) => certificates,
            None => {
                let new = Authority::with_key(key.clone(), trust_domain.clone(), now)?;
                self.create(AUTHORITY_CERTIFICATES, new.certificate().to_pem().as_bytes())?;
                // another process may have been first
                self.certificates()?.unwrap_or_default()
            }
        };
        let authority = Authority::from_parts(key, &certificates)?;
        match trust_domain {
            Some(other) if other != *authority.trust_domain() => Err(IdentityError::input(format!(
                "the authority in {} is that of trust domain `{}`, not of `{other}`",
                self.path.display(),
                authority.trust_domain()
            ))),
            _ => Ok(authority),
        }
    }

    /// Keeps a rotation: the certificates first, so that the old key still fits if the process ends in between. The old key
    /// is gone afterwards. `passphrase` where the key is to be under one.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when a file cannot be written.
    pub fn keep_rotation(&self, rotation: &Rotation, passphrase: Option<&str>) -> Result<(), IdentityError> {
        let authority = rotation.authority();
        let (name, text) = match passphrase {
            Some(passphrase) => (
                AUTHORITY_LOCKED,
                Zeroizing::new(locked::lock(authority.key(), passphrase, COST)?),
            ),
            None if self.has(AUTHORITY_LOCKED) => {
                return Err(refused(
                    &self.file(AUTHORITY_LOCKED),
                    "the authority's key is under a passphrase",
                ));
            }
            None => (AUTHORITY_KEY, authority.key().to_pem()),
        };
        let mut pem = String::new();
        let own = authority.trust().authorities();
        let before = self.certificates()?.unwrap_or_default();
        // a certificate by which the new key vouches for the old one is in `own`, unless the old one is distrusted
        let others = before
            .iter()
            .chain([rotation.forward()])
            .filter(|one| !own.contains(one));
        own.iter().chain(others).for_each(|one| pem.push_str(&one.to_pem()));
        self.replace(AUTHORITY_CERTIFICATES, pem.as_bytes())?;
        self.replace(name, text.as_bytes())
    }

    /// The authorities to believe, by the certificates that lie here; none when there are none. For a process without the
    /// authority's key.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file cannot be read, and as [`Trust::root`].
    pub fn trust(&self) -> Result<Option<Trust>, IdentityError> {
        let certificates = self.certificates()?.unwrap_or_default();
        let Some(root) = certificates.first() else {
            return Ok(None);
        };
        Trust::of_line(root, &certificates).map(Some)
    }

    /// The key that signs the log's checkpoints, which is made if there is none; true when it was made just now.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file cannot be read, written or trusted.
    pub fn log_key(&self) -> Result<(PrivateKey, bool), IdentityError> {
        self.key_or_new(LOG_KEY)
    }

    /// Whether there is a witness's key.
    #[must_use]
    pub fn has_witness_key(&self) -> bool {
        self.file(WITNESS_KEY).exists()
    }

    /// The key with which a witness cosigns the checkpoints of other logs, which is made if there is none; true when it was
    /// made just now.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file cannot be read, written or trusted.
    pub fn witness_key(&self) -> Result<(PrivateKey, bool), IdentityError> {
        self.key_or_new(WITNESS_KEY)
    }

    /// Puts an approver's key under a passphrase, at least 8 bytes long, in a file of this name, which must not be there.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file is there or cannot be written; [`IdentityErrorKind::Input`] for a passphrase
    /// that is too short or a name that is none.
    pub fn lock_approver(&self, name: &str, key: &PrivateKey, passphrase: &str) -> Result<PathBuf, IdentityError> {
        let file = approver_file(name)?;
        let text = Zeroizing::new(locked::lock(key, passphrase, COST)?);
        if !self.create(&file, text.as_bytes())? {
            return Err(refused(&self.file(&file), "there is a key of this name already"));
        }
        Ok(self.file(&file))
    }

    /// An approver's key, from its file of this name. Takes 64 MiB of memory for a moment.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Passphrase`] when the passphrase is wrong, [`IdentityErrorKind::KeyFile`] when there is no such file.
    pub fn unlock_approver(&self, name: &str, passphrase: &str) -> Result<PrivateKey, IdentityError> {
        let file = approver_file(name)?;
        let text = self.read(&file, MAX_KEY, Secrecy::Secret)?;
        let text = text.ok_or_else(|| refused(&self.file(&file), "there is no key of this name"))?;
        locked::unlock(&text, passphrase)
    }

    /// The names of the approvers whose keys lie here.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the directory cannot be read.
    pub fn approver_names(&self) -> Result<Vec<String>, IdentityError> {
        let entries = fs::read_dir(&self.path).map_err(|error| failed("read", &self.path, &error))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                let name = name.to_str()?.strip_prefix("approver-")?.strip_suffix(".locked")?;
                Some(name.to_owned())
            })
            .collect();
        names.sort();
        Ok(names)
    }

    /// An agent's key, which is made if there is none; true when it was made just now.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file cannot be read, written or trusted.
    pub fn agent_key(&self, agent: &AgentId) -> Result<(PrivateKey, bool), IdentityError> {
        self.key_or_new(&format!("agent-{agent}.key"))
    }

    /// An agent's right to renew its identity, if it lies here.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file cannot be read, and as [`Mandate::parse`].
    pub fn mandate(&self, agent: &AgentId, trust: &Trust) -> Result<Option<Mandate>, IdentityError> {
        self.read(&format!("agent-{agent}.mandate"), MAX_MANDATE, Secrecy::Secret)?
            .map(|text| Mandate::parse(&text, trust))
            .transpose()
    }

    /// Keeps an agent's right to renew its identity, in place of the one before.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::KeyFile`] when the file cannot be written.
    pub fn keep_mandate(&self, mandate: &Mandate) -> Result<(), IdentityError> {
        self.replace(
            &format!("agent-{}.mandate", mandate.agent()),
            mandate.to_json().as_bytes(),
        )
    }

    fn certificates(&self) -> Result<Option<Vec<Certificate>>, IdentityError> {
        let text = self.read(AUTHORITY_CERTIFICATES, MAX_MANDATE, Secrecy::Public)?;
        text.map(|text| Certificate::from_pem(&text))
            .transpose()
            .map_err(|error| refused(&self.file(AUTHORITY_CERTIFICATES), &error.to_string()))
    }

    fn key_or_new(&self, name: &str) -> Result<(PrivateKey, bool), IdentityError> {
        if let Some(key) = self.read_key(name)? {
            return Ok((key, false));
        }
        let new = self.create(name, PrivateKey::generate()?.to_pem().as_bytes())?;
        // what lies there counts, whoever was first
        let key = self.read_key(name)?;
        let key = key.ok_or_else(|| refused(&self.file(name), "it was removed while it was made"))?;
        Ok((key, new))
    }

    fn read_key(&self, name: &str) -> Result<Option<PrivateKey>, IdentityError> {
        let Some(text) = self.read(name, MAX_KEY, Secrecy::Secret)? else {
            return Ok(None);
        };
        let key = PrivateKey::from_pem(&text);
        key.map(Some)
            .ok_or_else(|| refused(&self.file(name), "it holds no Ed25519 private key (PKCS #8, PEM)"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn has(&self, name: &str) -> bool {
        // what cannot be looked at is there
        !matches!(fs::symlink_metadata(self.file(name)), Err(error) if error.kind() == io::ErrorKind::NotFound)
    }

    fn read(&self, name: &str, most: u64, secrecy: Secrecy) -> Result<Option<Zeroizing<String>>, IdentityError> {
        let path = self.file(name);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("look at", &path, &error)),
            // opening a pipe would wait for a writer
            Ok(metadata) if !metadata.is_file() => return Err(refused(&path, "it is no file")),
            Ok(_) => {}
        }
        let file = File::open(&path).map_err(|error| failed("open", &path, &error))?;
        // asked of the open file, which cannot be exchanged any more
        let metadata = file.metadata().map_err(|error| failed("look at", &path, &error))?;
        if secrecy == Secrecy::Secret {
            refuse_mode(&path, &metadata, 0o077, "read", "go=")?;
        }
        if metadata.len() > most {
            return Err(refused(&path, &format!("it is over {most} bytes")));
        }
        let room = usize::try_from(metadata.len()).unwrap_or(0) + 1;
        let mut text = Zeroizing::new(String::with_capacity(room));
        file.take(most)
            .read_to_string(&mut text)
            .map_err(|error| failed("read", &path, &error))?;
        Ok(Some(text))
    }

    /// Makes a file unless there is one: complete from the moment it has its name. False when another was first.
    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, IdentityError> {
        let path = self.file(name);
        let temporary = self.temporary(name, bytes)?;
        // unlike a rename, a link never takes the place of what is there
        let linked = fs::hard_link(&temporary, &path);
        let removed = fs::remove_file(&temporary);
        let new = match linked {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(failed("make", &path, &error)),
        };
        removed.map_err(|error| failed("remove", &temporary, &error))?;
        self.sync()?;
        Ok(new)
    }

    /// Puts a file in the place of one that may be there.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), IdentityError> {
        let path = self.file(name);
        let temporary = self.temporary(name, bytes)?;
        fs::rename(&temporary, &path).map_err(|error| failed("replace", &path, &error))?;
        self.sync()
    }

    /// A file of its own, complete and on the disk.
    fn temporary(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, IdentityError> {
        let mut random = [0; 12];
        getrandom::fill(&mut random).map_err(|_| IdentityError::no_entropy())?;
        let path = self.file(&format!(".{name}.{}", encoding::base64url(&random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written {
            // nothing can be done about one that cannot be removed
            let _ = fs::remove_file(&path);
            return Err(failed("write", &path, &error));
        }
        Ok(path)
    }

    /// Brings the directory's names to the disk.
    fn sync(&self) -> Result<(), IdentityError> {
        if cfg!(unix) {
            File::open(&self.path)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| failed("sync", &self.path, &error))?;
        }
        Ok(())
    }
}

/// A file name has no room for every name that a person may be enrolled under.
fn approver_file(name: &str) -> Result<String, IdentityError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(IdentityError::input(
            "the name of an approver's key file is not 1 to 64 characters of a-z, A-Z, 0-9, `.`, `_`, `-`, `@`",
        ));
    }
    Ok(format!("approver-{name}.locked"))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Secrecy {
    Secret,
    Public,
}

#[cfg(unix)]
fn refuse_mode(path: &Path, metadata: &fs::Metadata, mask: u32, done: &str, cure: &str) -> Result<(), IdentityError> {
    let mode = std::os::unix::fs::MetadataExt::mode(metadata) & 0o7777;
    if mode & mask == 0 {
        return Ok(());
    }
    Err(refused(
        path,
        &format!("it can be {done} by others (mode {mode:04o}); take that away with `chmod {cure}`"),
    ))
}

#[cfg(not(unix))]
fn refuse_mode(_: &Path, _: &fs::Metadata, _: u32, _: &str, _: &str) -> Result<(), IdentityError> {
    Ok(())
}

fn failed(what: &str, path: &Path, error: &io::Error) -> IdentityError {
    IdentityError::new(
        IdentityErrorKind::KeyFile,
        format!("cannot {what} {}: {error}", path.display()),
    )
}

fn refused(path: &Path, why: &str) -> IdentityError {
    IdentityError::new(
        IdentityErrorKind::KeyFile,
        format!("{} is refused: {why}", path.display()),
    )
}
