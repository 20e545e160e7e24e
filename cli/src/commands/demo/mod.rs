//! placeholder
use super::Context;
use clap::Args;
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Keep the three nodes' homes below this directory
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
}
impl Demo {
    pub(super) async fn run(self, _context: &Context) -> crate::error::Result<()> {
        Ok(())
    }
}
