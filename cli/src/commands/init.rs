//! `portolan init`: hands what a person says of the new node to `portoland init`, which makes the keys.

use std::process::Stdio;

use clap::Args;
use portolan_protocol::api::{InitAnswer, InitRequest, InitResult};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{
    args,
    context::Context,
    error::{ApiError, ErrorKind, Result, internal},
    home, output,
};

#[derive(Args, Debug)]
pub(super) struct Init {
    /// The node's name, such as "Rome Academy"
    #[arg(long)]
    name: String,
    /// The organisation's name
    #[arg(long)]
    organisation: String,
    /// The country, two letters as in ISO 3166
    #[arg(long, value_parser = args::country)]
    country: String,
    /// Where to listen for peers, ADDRESS:PORT [default: [::]:7443]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Keep off every network: neither listen nor call; pouches alone go in and out
    #[arg(long, conflicts_with_all = ["listen", "addresses"])]
    offline: bool,
    /// Where peers may reach this node, HOST:PORT, for its card; may be repeated
    #[arg(long = "address", value_name = "HOST:PORT", value_parser = args::host_and_port)]
    addresses: Vec<String>,
}

impl Init {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let home = home::home(&context.global)?;
        let program = home::daemon_program()?;
        let request = InitRequest {
            name: self.name,
            organisation: self.organisation,
            country: self.country,
            listen: self.listen,
            offline: self.offline,
            addresses: self.addresses,
        };
        let mut child = Command::new(&program)
            .arg("init")
            .arg("--home")
            .arg(&home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| internal(format!("cannot start {}: {error}", program.display())))?;
        if let Some(mut input) = child.stdin.take() {
            let bytes = serde_json::to_vec(&request).map_err(|error| internal(error.to_string()))?;
            // Should it have ended already, what it wrote says why.
            let _ = input.write_all(&bytes).await;
        }
        let ended = child.wait_with_output().await.map_err(|error| internal(error.to_string()))?;
        let result = match serde_json::from_slice(&ended.stdout) {
            Ok(InitAnswer::Done(result)) => *result,
            Ok(InitAnswer::Failed(error)) => return Err(error),
            Err(_) => {
                let what = format!("`portoland init` ended with {} and said nothing that is understood", ended.status);
                return Err(ApiError::new(ErrorKind::Conflict, what)
                    .next("Install the same release of `portolan` and `portoland`."));
            }
        };
        context.output.show(&result, human).map_err(|error| {
            // It is kept nowhere else by now.
            let key = &result.recovery_key;
            error
                .safe(format!("The node was made in {}.", result.home))
                .next(format!("Write down its recovery key: {key}"))
        })
    }
}

fn human(result: &InitResult) -> String {
    let mut out = output::pairs(&[
        ("home", result.home.clone()),
        ("node", result.card.node.to_string()),
        ("name", result.card.name.clone()),
        ("fingerprint", result.card.fingerprint.clone()),
        ("administrator", result.login.clone()),
        ("configuration", result.config.clone()),
    ]);
    out.push_str(&tr!("\nRecovery key, shown this once and kept nowhere. Write it down and lock it away:\n\n  {}\n\nStart the node with \
         `portoland run --home {}`.\n",
        result.recovery_key, result.home
    ));
    out
}
