//! Files that an auditor publishes: there only once they are whole, and never in the place of another.

use std::{
    fs::File,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

use crate::error::CliError;

/// A file that is being written.
pub struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl NewFile {
    /// Begins a file, which must not exist.
    ///
    /// # Errors
    /// [`CliError::Input`].
    pub fn create(path: &Path) -> Result<Self, CliError> {
        free(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // What is public may be read by whom the user's other files may be read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(|error| CliError::file(path, error))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Where it is written.
    pub fn writer(&self) -> &File {
        self.file.as_file()
    }

    /// It is whole, and gets its name.
    ///
    /// # Errors
    /// [`CliError::Input`].
    pub fn keep(self) -> Result<(), CliError> {
        let Self { path, file } = self;
        file.as_file().sync_all().map_err(|error| CliError::file(&path, error))?;
        file.persist_noclobber(&path).map_err(|error| CliError::file(&path, error.error))?;
        Ok(())
    }
}

/// Checks that nothing has this name.
///
/// # Errors
/// [`CliError::Input`].
pub fn free(path: &Path) -> Result<(), CliError> {
    match path.exists() {
        true => Err(CliError::file(path, "exists already; nothing was done: choose another name")),
        false => Ok(()),
    }
}
