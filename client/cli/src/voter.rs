use crate::{context::Context, error::CliError};
#[derive(clap::Subcommand)]
pub enum Command {
    /// x
    X,
}
pub async fn run(_: Command, _: &Context) -> Result<(), CliError> { Ok(()) }
