//! `sterna completions` and `sterna man`: shell completions and manual pages, generated from
//! the definitions of the command line.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::{Error, Result};
use crate::private;

/// Print a completion script for a shell
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  sterna completions bash > /etc/bash_completion.d/sterna
  sterna completions zsh > \"${fpath[1]}/_sterna\"
  sterna completions fish > ~/.config/fish/completions/sterna.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the manual page, or write one for every command
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  sterna man | man -l -
  sterna man --out /usr/local/share/man/man1")]
pub struct ManArgs {
    /// Folder for the pages: sterna.1, sterna-load.1, ...
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Writes the completion script to stdout, and returns the exit code.
///
/// # Errors
/// If stdout cannot be written.
pub fn completions(args: &CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sterna", &mut script);
    print(&script)
}

/// Writes the pages, and returns the exit code.
///
/// # Errors
/// If they cannot be written.
pub fn man(args: &ManArgs) -> Result<u8> {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        let man = clap_mangen::Man::new(Cli::command());
        man.render(&mut page).map_err(|e| Error::file("the manual page", e))?;
        return print(&page);
    };
    let failed = |e| Error::file(folder, e);
    let draft = tempfile::tempdir().map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), draft.path()).map_err(failed)?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    for page in std::fs::read_dir(draft.path()).map_err(failed)? {
        let page = page.map_err(failed)?;
        let text = std::fs::read_to_string(page.path()).map_err(failed)?;
        let path = folder.join(page.file_name());
        private::put(&path, &text, is_page)?;
        // Manual pages are readable by all users.
        let mode = Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, mode).map_err(|e| Error::file(&path, e))?;
    }
    Ok(0)
}

/// Whether a file starts like one of sterna's pages.
fn is_page(start: &[u8]) -> bool {
    String::from_utf8_lossy(start).lines().any(|line| line.starts_with(".TH sterna"))
}

fn print(text: &[u8]) -> Result<u8> {
    match std::io::stdout().lock().write_all(text) {
        // The reader has closed the pipe, such as `head`.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        result => result.map(|()| 0).map_err(|e| Error::file("stdout", e)),
    }
}
