//! The folder of the embedded table: its file, who has it open, and the token
//! that `serve` prints.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::embedded::Embedded;
use crate::terminal::Failure;

/// The table's file.
const DATABASE: &str = "flowtrail.db";

/// How long to wait for a folder that is locked without an address.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The folder, locked for this process until it is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// The lock ends with the file, and so with the process, however it ends.
    lock: File,
}

/// Whose the folder is.
#[derive(Debug)]
pub enum Holder {
    /// This process, from now on.
    Us(DataFolder),
    /// A running server, whose table has this address.
    Server(String),
}

impl DataFolder {
    /// Makes the folder where it is not there, and locks it unless another
    /// process has.
    ///
    /// # Errors
    /// The folder cannot be made or written, or stays busy.
    pub async fn open(path: &Path) -> Result<Holder, Failure> {
        let unwritable = |error| unwritable(path, error);
        create_private(path).map_err(unwritable)?;
        // The folder holds a token: it is not for anyone's repository. A folder
        // that has its own rules keeps them.
        match File::create_new(path.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n").map_err(unwritable)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(error)),
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join("lock"))
            .map_err(unwritable)?;
        Self::lock(path, lock).await
    }

    /// Locks the folder, or finds who has it.
    async fn lock(path: &Path, mut lock: File) -> Result<Holder, Failure> {
        let unusable = |error| unwritable(path, error);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    // The address of the holder before us leads nowhere now.
                    lock.set_len(0).map_err(unusable)?;
                    let path = path.to_owned();
                    return Ok(Holder::Us(Self { path, lock }));
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
            // A command, which is soon done, or a server that is starting.
            if Instant::now() >= deadline {
                return Err(Failure(format!(
                    "The folder {} is busy with another flowtrail. Try again in a moment.",
                    path.display()
                )));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    /// Whether a table was ever made in this folder.
    pub fn has_database(path: &Path) -> bool {
        path.join(DATABASE).exists()
    }

    /// Tells other processes where the table is reached while the folder is
    /// locked.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn announce(&mut self, address: &str) -> Result<(), Failure> {
        let mut write = || -> std::io::Result<()> {
            self.lock.set_len(0)?;
            self.lock.rewind()?;
            self.lock.write_all(address.as_bytes())?;
            self.lock.flush()
        };
        write().map_err(|error| unwritable(&self.path, error))
    }

    /// Opens the table's file, or makes it.
    ///
    /// # Errors
    /// The file cannot be written, or is damaged.
    pub fn open_database(&self) -> Result<Embedded, Failure> {
        let file = self.path.join(DATABASE);
        Embedded::open(&file).map_err(|error| {
            Failure(format!(
                "The data file {} cannot be opened, as it is damaged or not writable ({error}). \
                 Put a copy of it in its place, or move it away to begin with an empty table.",
                file.display()
            ))
        })
    }

    /// The token that an earlier start has printed.
    pub fn admin_token(&self) -> Option<String> {
        let token = fs::read_to_string(self.admin_token_path()).ok()?;
        Some(token.trim().to_owned())
    }

    /// Keeps a token for the next start, readable by this user alone.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_admin_token(&self, token: &str) -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = self.admin_token_path();
        options
            .open(&path)
            .and_then(|mut file| file.write_all(token.as_bytes()))
            .map_err(|error| Failure(format!("{} cannot be written: {error}.", path.display())))
    }

    fn admin_token_path(&self) -> PathBuf {
        self.path.join("admin-token")
    }
}

fn unwritable(folder: &Path, error: std::io::Error) -> Failure {
    Failure(format!(
        "The folder {} cannot be written: {error}. Name another with --data.",
        folder.display()
    ))
}

/// Makes the folder, if it is not there, for its owner alone: it has payloads, and a
/// token.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}
