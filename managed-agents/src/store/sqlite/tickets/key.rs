//! The keys of bindings.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::call::Salt;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::files;
use crate::store::sqlite::keys::SubjectKey;

const LABEL: &[u8] = b"ma-binding/1\0";

/// The store's own part, from a file beside the database and in no backup of it.
pub(in crate::store::sqlite) struct StoreKey([u8; 32]);

/// The key of the bindings of one data subject's calls.
pub(in crate::store::sqlite) type BindingKey = [u8; 32];

impl StoreKey {
    /// Reads the file, which is made if it is not there. Must be called under the [`OpenLock`](super::super::process::OpenLock).
    ///
    /// Without its file, tickets that are open fit no call any more; whoever repeats a call opens a new one.
    pub(in crate::store::sqlite) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = path_of(dir);
        match fs::read(&path) {
            Ok(bytes) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| StoreError::corrupt(format!("{} holds no key of 32 bytes", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = *Salt::fresh()?.reveal();
                files::replace(&path, &key)?;
                Ok(Self(key))
            }
            Err(error) => Err(StoreError::io("read", &path, &error)),
        }
    }

    pub(in crate::store::sqlite) fn of_subject(&self, subject: &SubjectKey) -> BindingKey {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            // HMAC takes keys of any length (RFC 2104)
            return [0; 32];
        };
        mac.update(LABEL);
        mac.update(&subject.key);
        mac.finalize().into_bytes().into()
    }
}

fn path_of(dir: &Path) -> PathBuf {
    dir.join("tickets.key")
}

/// A salt that goes with a binding.
pub(super) fn salt() -> Result<Salt, StoreError> {
    Ok(Salt::fresh()?)
}
