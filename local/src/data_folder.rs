//! The folder of the embedded table: its file, its lock, and the admin token.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::embedded::{Embedded, OpenError};
use crate::terminal::Failure;

/// The table's file.
const DATABASE: &str = "flowtrail.db";

/// The suffixes of the additional files that SQLite creates.
const LOGS: [&str; 2] = ["-wal", "-shm"];

const LOCK: &str = "lock";

/// The file with the admin token, which only its owner can read.
const ADMIN_TOKEN: &str = "admin-token";

/// The file with the address of the running server's API.
const API_ADDRESS: &str = "api-address";

/// The suffix of the file until its first tables are created.
const UNFINISHED: &str = ".new";

/// How long to wait for a folder that is locked without an address.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The folder, locked for this process until it is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// The lock ends when the file is closed, at the latest when the process ends or
    /// crashes.
    lock: File,
    /// Whether the folder was used before.
    was_used: bool,
}

/// The process that has locked the folder.
#[derive(Debug)]
pub enum Holder {
    /// This process, from now on.
    Us(DataFolder),
    /// A running server, whose table has this address.
    Server(String),
}

impl DataFolder {
    /// Creates the folder if it does not exist, and locks it unless another process has
    /// locked it.
    ///
    /// # Errors
    /// The folder cannot be created or written, or stays busy.
    pub async fn open(path: &Path) -> Result<Holder, Failure> {
        let unwritable = |error| unwritable(path, error);
        create_private(path).map_err(unwritable)?;
        // The folder contains a token, which must not be committed to a repository. An
        // existing .gitignore file is kept.
        match File::create_new(path.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n").map_err(unwritable)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(error)),
        }
        let was_used = Self::was_used(path);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join(LOCK))
            .map_err(unwritable)?;
        Self::lock(path, lock, was_used).await
    }

    /// Whether the folder contains files of an earlier use, other than the table's own
    /// file.
    fn was_used(path: &Path) -> bool {
        let logs = LOGS.map(|suffix| format!("{DATABASE}{suffix}"));
        let names = [LOCK, ADMIN_TOKEN].map(str::to_owned);
        let mut names = names.into_iter().chain(logs);
        names.any(|name| path.join(name).exists())
    }

    /// Locks the folder, or returns the server that has locked it.
    async fn lock(path: &Path, mut lock: File, was_used: bool) -> Result<Holder, Failure> {
        let unusable = |error| unwritable(path, error);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    // The address of the previous holder is no longer valid.
                    lock.set_len(0).map_err(unusable)?;
                    let path = path.to_owned();
                    return Ok(Holder::Us(Self {
                        path,
                        lock,
                        was_used,
                    }));
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
            let mut address = String::new();
            lock.rewind().map_err(unusable)?;
            lock.read_to_string(&mut address).map_err(unusable)?;
            if !address.is_empty() {
                return Ok(Holder::Server(address));
            }
            // The folder is locked by a command, which will finish soon, or by a server
            // that is starting.
            if Instant::now() >= deadline {
                return Err(Failure(format!(
                    "The folder {} is in use by another flowtrail process. Try again in a moment.",
                    path.display()
                )));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    /// Whether a table was ever created in this folder.
    pub fn has_database(path: &Path) -> bool {
        path.join(DATABASE).exists()
    }

    /// Publishes the addresses of the table and the API to other processes while the folder
    /// is locked.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn announce(&mut self, address: &str, api_address: &str) -> Result<(), Failure> {
        let mut write = || -> std::io::Result<()> {
            fs::write(self.path.join(API_ADDRESS), api_address)?;
            self.lock.set_len(0)?;
            self.lock.rewind()?;
            self.lock.write_all(address.as_bytes())?;
            self.lock.flush()
        };
        write().map_err(|error| unwritable(&self.path, error))
    }

    /// Opens the table's file, or creates it.
    ///
    /// # Errors
    /// The file cannot be written, is damaged, or has lost its content.
    pub fn open_database(&self) -> Result<Embedded, Failure> {
        let file = self.path.join(DATABASE);
        self.refuse_lost_content(&file)?;
        let opened = self
            .make_database(&file)
            .and_then(|()| Embedded::open(&file));
        opened.map_err(|error| {
            Failure(format!(
                "The data file {} cannot be opened, because it is damaged or not writable ({error}). \
                 Replace it with a copy, or move it away to start with an empty table.",
                file.display()
            ))
        })
    }

    /// Returns the address of the API of the server that has locked the folder.
    pub fn api_address(path: &Path) -> Option<String> {
        fs::read_to_string(path.join(API_ADDRESS)).ok()
    }

    /// Refuses an empty file in a folder that was used before, and a write-ahead log
    /// without its file: starting with an empty table would hide the loss.
    fn refuse_lost_content(&self, file: &Path) -> Result<(), Failure> {
        let length = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.len());
        let log = self.path.join(format!("{DATABASE}{}", LOGS[0]));
        let remedy = "Restore the file from a copy";
        let file_name = file.display();
        match length(file) {
            Some(0) if self.was_used => Err(Failure(format!(
                "The data file {file_name} is empty, although this folder was used before: its \
                 content is lost. {remedy}, or delete it to start with an empty table."
            ))),
            None if length(&log).is_some_and(|length| length > 0) => Err(Failure(format!(
                "The data file {file_name} is missing, although its log of writes exists. \
                 {remedy}, or delete {} to start with an empty table.",
                log.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Creates the table's file if it does not exist or is empty. The file has a temporary
    /// name until its tables are created, so that a crash never leaves an empty file.
    fn make_database(&self, file: &Path) -> Result<(), OpenError> {
        if fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0) {
            return Ok(());
        }
        let unfinished = self.path.join(format!("{DATABASE}{UNFINISHED}"));
        for suffix in ["", LOGS[0], LOGS[1]] {
            let left = self.path.join(format!("{DATABASE}{UNFINISHED}{suffix}"));
            if left.exists() {
                fs::remove_file(left)?;
            }
        }
        // Closing the database merges its log into the one file.
        drop(Embedded::open(&unfinished)?);
        fs::rename(unfinished, file)?;
        Ok(())
    }

    /// Returns the admin token of an earlier start.
    pub fn admin_token(&self) -> Option<String> {
        Self::admin_token_in(&self.path)
    }

    /// Returns the admin token in the folder at this path.
    pub fn admin_token_in(path: &Path) -> Option<String> {
        let token = fs::read_to_string(path.join(ADMIN_TOKEN)).ok()?;
        Some(token.trim().to_owned())
    }

    /// Saves a token for the next start, readable only by this user.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_admin_token(&self, token: &str) -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = self.admin_token_path();
        let write = || {
            let mut file = options.open(&path)?;
            // An existing file would keep its mode.
            #[cfg(unix)]
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            file.write_all(token.as_bytes())
        };
        write().map_err(|error: std::io::Error| {
            Failure(format!("{} cannot be written: {error}.", path.display()))
        })
    }

    /// Returns the path of the file with the admin token.
    pub fn admin_token_path(&self) -> PathBuf {
        self.path.join(ADMIN_TOKEN)
    }
}

fn unwritable(folder: &Path, error: std::io::Error) -> Failure {
    Failure(format!(
        "The folder {} cannot be written: {error}. Choose another folder with --data.",
        folder.display()
    ))
}

/// Creates the folder, if it does not exist, with access only for its owner: it contains
/// payloads and a token.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}
